#include "collectors/socket_reader.h"

#include <chrono>
#include <cstdint>

#include "collectors/read_ports.h"

namespace timewait {

namespace {

// Netlink may come back (a module gets loaded), but asking is not free where it stays away: the
// kernel looks for the module each time.
constexpr std::chrono::seconds kNetlinkRetry{60};

// A walk for explicit binds costs nearly a pass: at each poll of a small table, which takes a few
// milliseconds, but of a large one only now and then.
constexpr std::uint64_t kSmallTable = 16'384;
constexpr unsigned kPassesPerWalk = 16;

/// True where the kernel dumps bound idle sockets: TCP_BOUND_INACTIVE came with Linux 6.8. One
/// whose release cannot be read counts as older.
bool reports_bound_inactive(Kernel& kernel) {
  constexpr parse::KernelRelease kFirst{6, 8};
  return read_kernel_release(kernel) >= kFirst;
}

bool is_refusal(const Error& error) {
  return error.reason == ErrorReason::kUnavailable || error.reason == ErrorReason::kPermission;
}

}  // namespace

SocketReader::SocketReader(Kernel& kernel)
    : kernel_(kernel), reports_bound_inactive_(reports_bound_inactive(kernel)) {}

Result<void> SocketReader::read(SteadyTime now, const Conditions& conditions, SocketTable& table,
                                CollectorOutput& out) {
  const Pass pass{now, conditions, table};
  if (refusal_ && now < netlink_retry_at_) return read_proc(pass, out);
  for (const SocketSource source : {SocketSource::kBothFamilies, SocketSource::kByFamily}) {
    auto read = read_from(source, pass);
    if (read || !is_refusal(read.error())) {
      refusal_.reset();
      return read;
    }
    refusal_ = read.error();
  }
  netlink_retry_at_ = now + kNetlinkRetry;
  return read_proc(pass, out);
}

Result<void> SocketReader::read_proc(const Pass& pass, CollectorOutput& out) {
  auto read = read_from(SocketSource::kProcNetTcp, pass);
  if (!read) {
    // What is wrong is netlink; that the way out is shut too is the lesser news.
    out.report(*refusal_);
    return read;
  }
  out.notice({refusal_->reason, refusal_->source,
              refusal_->detail +
                  "; reading /proc/net/tcp instead, which is slower and lacks bound idle sockets"});
  return read;
}

Result<void> SocketReader::read_from(SocketSource source, const Pass& pass) {
  auto read = try_source(source, pass);
  // An interrupted dump is inconsistent; the next try nearly always succeeds.
  if (!read && read.error().reason == ErrorReason::kInterrupted) read = try_source(source, pass);
  if (read) source_ = source;
  return read;
}

Result<void> SocketReader::try_source(SocketSource source, const Pass& pass) {
  const SocketWalks walks{.bound_inactive = reports_bound_inactive_,
                          .explicit_binds = is_walk_for_explicit_binds_due()};
  std::uint64_t sockets = 0;
  pass.table.begin_pass(pass.now, pass.conditions);
  return read_sockets(
             kernel_, source, walks,
             [&](const Socket& socket) {
               ++sockets;
               pass.table.add(socket);
             },
             [&](const Socket& socket) { pass.table.add_explicit_bind(socket); })
      .map([&] {
        last_sockets_ = sockets;
        passes_since_walk_ = walks.explicit_binds ? 1 : passes_since_walk_ + 1;
      });
}

bool SocketReader::is_walk_for_explicit_binds_due() const {
  return !last_sockets_ || *last_sockets_ <= kSmallTable || passes_since_walk_ >= kPassesPerWalk;
}

}  // namespace timewait
