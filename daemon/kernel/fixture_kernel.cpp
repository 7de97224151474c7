#include "daemon/kernel/fixture_kernel.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "collectors/model/socket.h"
#include "collectors/parse/bytes.h"
#include "collectors/parse/inet_diag.h"
#include "collectors/parse/perf_records.h"

namespace timewait {

namespace {

// Five million sockets.
constexpr std::size_t kMaxRecording = std::size_t{512} << 20U;

/// The kernel reports TCP_BOUND_INACTIVE as TCP_CLOSE; a recording has no sockets between states.
TcpState recorded_state(const inet_diag_msg& message) {
  return message.idiag_state == static_cast<std::uint8_t>(TcpState::kClose)
             ? TcpState::kBoundInactive
             : static_cast<TcpState>(message.idiag_state & 31U);
}

bool answers(const inet_diag_msg& message, const SocketDump& dump) {
  if (dump.request == SocketRequest::kIpv4 && message.idiag_family != AF_INET) return false;
  if (dump.request == SocketRequest::kIpv6 && message.idiag_family != AF_INET6) return false;
  return (dump.states & state_bit(recorded_state(message))) != 0;
}

void append_done(std::string& stream) {
  struct {
    nlmsghdr header;
    std::int32_t error;
  } done{};
  done.header.nlmsg_len = sizeof(done);
  done.header.nlmsg_type = NLMSG_DONE;
  done.header.nlmsg_flags = NLM_F_MULTI;
  stream.append(reinterpret_cast<const char*>(&done), sizeof(done));
}

/// The firings that a record stands for.
std::uint64_t count_firings(std::span<const std::byte> record) {
  struct Lost {
    perf_event_header header;
    std::uint64_t id;
    std::uint64_t lost;
  };
  const auto header = parse::read_at<perf_event_header>(record, 0);
  if (header && header->type == PERF_RECORD_SAMPLE) return 1;
  const auto lost = parse::read_at<Lost>(record, 0);
  return lost && header->type == PERF_RECORD_LOST ? lost->lost : 0;
}

class RecordedEvent final : public PerfEvent {
 public:
  explicit RecordedEvent(std::string records) : records_(std::move(records)) {
    std::span<const std::byte> rest = std::as_bytes(std::span(records_));
    while (const auto record = parse::parse_perf_record(rest)) {
      firings_ += std::min(count_firings(*record), ~firings_);  // and no more than fit
      rest = rest.subspan(record->size());
    }
  }

  void take_records(const OnRecords& on_records) override {
    if (!records_.empty()) on_records(std::as_bytes(std::span(records_)));
    records_.clear();
  }
  Result<Count> read_count() override {
    return Count{firings_, std::chrono::steady_clock::now() - opened_};
  }
  int descriptor() const override { return -1; }

 private:
  std::string records_;
  std::uint64_t firings_ = 0;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
};

}  // namespace

std::string filter_recorded_dump(std::string_view recording, const SocketDump& dump) {
  // As the kernel has it: listeners, bound idle sockets, connections.
  std::string filtered;
  std::string connections;
  bool is_complete = false;
  std::span<const std::byte> rest = std::as_bytes(std::span(recording));
  while (!rest.empty()) {
    const auto length = parse::parse_message_length(rest);
    if (!length) {
      connections.append(reinterpret_cast<const char*>(rest.data()), rest.size());
      break;
    }
    const std::size_t padded = std::min<std::size_t>(NLMSG_ALIGN(*length), rest.size());
    const auto kind = parse::classify_message(rest.first(*length), std::nullopt);
    is_complete = is_complete || (kind && *kind == parse::MessageKind::kDone);
    inet_diag_msg message{};
    const bool is_socket =
        kind && *kind == parse::MessageKind::kSocket && *length >= NLMSG_HDRLEN + sizeof(message);
    if (is_socket) std::memcpy(&message, rest.data() + NLMSG_HDRLEN, sizeof(message));
    if (!kind || (is_socket && answers(message, dump))) {
      std::string& part = is_socket && is_idle(recorded_state(message)) ? filtered : connections;
      part.append(reinterpret_cast<const char*>(rest.data()), padded);
    }
    rest = rest.subspan(padded);
  }
  filtered += connections;
  if (is_complete) append_done(filtered);
  return filtered;
}

std::unique_ptr<PerfEvent> make_recorded_event(std::string records) {
  return std::make_unique<RecordedEvent>(std::move(records));
}

FixtureKernel::FixtureKernel(const std::filesystem::path& directory)
    : directory_(directory), files_(directory / "proc", directory / "sys") {}

Result<std::string> FixtureKernel::read_tracefs(std::string_view path) {
  const std::filesystem::path tracefs = directory_ / "tracefs";
  std::error_code ignored;
  if (std::filesystem::is_directory(tracefs, ignored)) return read_small_file(tracefs / path);
  return tl::make_unexpected(Error{ErrorReason::kUnavailable, "tracefs", "not mounted"});
}

Result<std::unique_ptr<PerfEvent>> FixtureKernel::open_tracepoint(const Tracepoint& /*tracepoint*/,
                                                                  std::uint32_t cpu) {
  const std::filesystem::path file = directory_ / "perf" / ("cpu" + std::to_string(cpu));
  return read_small_file(file).map(make_recorded_event).map_error([](Error error) {
    if (error.reason == ErrorReason::kUnavailable) error.detail = "not in the recording";
    return error;
  });
}

Result<void> FixtureKernel::dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) {
  // Recordings do not tell which sockets were bound explicitly.
  if (dump.only_explicit_binds) {
    std::string nothing;
    append_done(nothing);
    return on_buffer({std::as_bytes(std::span(nothing)), std::nullopt}).map([](DumpProgress) {});
  }
  // The recording lies beside /proc; its reader serves for it too.
  const KernelFiles netlink(directory_ / "netlink", {});
  constexpr std::string_view kFile = "tcp.nlmsg";
  const auto recording =
      gather_text(netlink.proc_path(kFile), kMaxRecording,
                  [&](const OnChunk& on_chunk) { return netlink.stream_proc(kFile, on_chunk); });
  if (!recording) return tl::make_unexpected(recording.error());
  const std::string answer = filter_recorded_dump(*recording, dump);
  return on_buffer({std::as_bytes(std::span(answer)), std::nullopt})
      .and_then([](DumpProgress progress) -> Result<void> {
        if (progress == DumpProgress::kDone) return {};
        return malformed("the recorded dump does not end");
      });
}

}  // namespace timewait
