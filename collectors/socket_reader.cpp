#include "collectors/socket_reader.h"

#include <chrono>
#include <cstdint>

#include "collectors/read_ports.h"

namespace timewait {

namespace {

// Netlink may come back (a module gets loaded), but asking is not free where it stays away: the
// kernel looks for the module each time.
constexpr std::chrono::seconds kNetlinkRetry{60};

// A pass over so many takes a few milliseconds, whatever is asked for.
constexpr std::uint64_t kSmallTable = 16'384;
constexpr std::chrono::minutes kFullLookInterval{2};

// Of more bound idle sockets none is remembered: then every pass asks for them.
constexpr std::size_t kMaxBoundIdle = 4096;

bool is_refusal(const Error& error) {
  return error.reason == ErrorReason::kUnavailable || error.reason == ErrorReason::kPermission;
}

}  // namespace

void SocketReader::look_for_bound_inactive() {
  constexpr parse::KernelRelease kFirst{6, 8};
  if (knows_release_) return;
  const auto release = read_kernel_release(kernel_);
  knows_release_ = release.has_value();
  reports_bound_inactive_ = release && *release >= kFirst;
}

Result<void> SocketReader::read(SteadyTime now, const Conditions& conditions, SocketTable& table,
                                CollectorOutput& out) {
  const Pass pass{now, conditions, table};
  look_for_bound_inactive();
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
  const bool is_full_look = is_full_look_due(source, pass.now);
  const bool remembers_idle = !is_full_look && bound_idle_.size() <= kMaxBoundIdle;
  const SocketWalks walks{.bound_inactive = reports_bound_inactive_ && !remembers_idle,
                          .explicit_binds = is_full_look};
  std::uint64_t sockets = 0;
  std::vector<Socket> bound_idle;
  pass.table.begin_pass(pass.now, pass.conditions);
  if (remembers_idle) {
    for (const Socket& socket : bound_idle_) pass.table.add_remembered_idle(socket);
  }
  const auto on_socket = [&](const Socket& socket) {
    ++sockets;
    pass.table.add(socket);
    if (socket.state == TcpState::kBoundInactive && bound_idle.size() <= kMaxBoundIdle) {
      bound_idle.push_back(socket);
    }
  };
  const auto on_explicit_bind = [&](const Socket& socket) { pass.table.add_explicit_bind(socket); };
  return read_sockets(kernel_, source, walks, on_socket, on_explicit_bind).map([&] {
    last_sockets_ = sockets;
    if (is_full_look) last_full_look_ = pass.now;
    if (!remembers_idle) bound_idle_ = std::move(bound_idle);
  });
}

bool SocketReader::is_full_look_due(SocketSource source, SteadyTime now) const {
  return !last_sockets_ || source != source_ || *last_sockets_ <= kSmallTable ||
         now - last_full_look_ >= kFullLookInterval;
}

}  // namespace timewait
