#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collectors/error.h"

namespace timewait {

/// The two ways to ask sock_diag for TCP sockets (include/uapi/linux/inet_diag.h, sock_diag.h).
enum class SocketRequest : std::uint8_t {
  kBothFamilies,  ///< TCPDIAG_GETSOCK: IPv4 and IPv6 in one walk of the kernel's table
  kIpv4,          ///< SOCK_DIAG_BY_FAMILY, AF_INET
  kIpv6,          ///< SOCK_DIAG_BY_FAMILY, AF_INET6
};

/// A dump of TCP sockets: how, and which states, as bits `1 << TCP_ESTABLISHED` and so on
/// (include/net/tcp_states.h). A TIME-WAIT minisock is chosen by its substate.
struct SocketDump {
  SocketRequest request = SocketRequest::kBothFamilies;
  std::uint32_t states = 0;
  /// Only sockets whose port a program had chosen with bind(). The kernel knows that of full
  /// sockets alone, and filters them itself (INET_DIAG_BC_AUTO).
  bool only_explicit_binds = false;
};

/// One receive buffer of a dump, whole messages as the kernel wrote them.
struct NetlinkBuffer {
  std::span<const std::byte> bytes;
  /// Messages with another sequence number answer an earlier request and are to be skipped;
  /// recordings accept any.
  std::optional<std::uint32_t> sequence;
};

enum class DumpProgress : std::uint8_t { kMore, kDone };

/// A tracepoint to be sampled.
struct Tracepoint {
  std::uint64_t id = 0;  ///< `ID` in its format file in tracefs
  /// Which firings count, by the kernel's own judgement (Documentation/trace/events.rst, section
  /// 5).
  std::string filter;
};

/// A tracepoint on one CPU, in all processes and namespaces, from its opening to its destruction
/// (perf_event_open(2), pid -1). Every firing that passes the filter is counted, and sampled as
/// long as the ring buffer has room.
class PerfEvent {
 public:
  using OnRecords = std::function<void(std::span<const std::byte>)>;

  struct Count {
    std::uint64_t firings = 0;
    /// How long it has counted. Stands still when the CPU has gone offline, for ever: an event does
    /// not come back with its CPU.
    std::chrono::nanoseconds enabled{};
  };

  PerfEvent() = default;
  PerfEvent(const PerfEvent&) = delete;
  PerfEvent& operator=(const PerfEvent&) = delete;
  PerfEvent(PerfEvent&&) = delete;
  PerfEvent& operator=(PerfEvent&&) = delete;
  virtual ~PerfEvent() = default;

  /// Hands over the records since the last call, whole ones (parse/perf_records.h) and all at once,
  /// and gives their room back to the kernel. Not called where there are none. No system call.
  virtual void take_records(const OnRecords& on_records) = 0;

  /// Firings so far, sampled or not. A firing is counted before its record is there, a moment at
  /// the most. Disturbs the CPU by an interrupt.
  virtual Result<Count> read_count() = 0;

  /// A descriptor that poll(2) finds readable when records have come; -1 for none.
  virtual int descriptor() const = 0;
};

/// The only door to the kernel. One object speaks for one network namespace.
/// Implementations: the running kernel, a recorded directory (daemon/kernel) and one in memory
/// (tests/support). Read-only: files are opened for reading, netlink is asked for dumps, events are
/// counted, and nothing else. Used from one thread at a time.
class Kernel {
 public:
  using OnChunk = std::function<Result<void>(std::string_view)>;
  using OnBuffer = std::function<Result<DumpProgress>(const NetlinkBuffer&)>;

  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  Kernel(Kernel&&) = delete;
  Kernel& operator=(Kernel&&) = delete;
  virtual ~Kernel() = default;

  /// The `netns` label: `self` for the namespace that the daemon runs in.
  virtual std::string_view netns() const = 0;

  /// Bytes of a memory page.
  virtual std::uint64_t page_size() const = 0;

  /// Where a file below /proc stands, for messages.
  virtual std::string proc_path(std::string_view path) const {
    return "/proc/" + std::string(path);
  }

  /// Hands over a file below /proc, e.g. `net/tcp`, in chunks of any size until its end.
  virtual Result<void> stream_proc(std::string_view path, const OnChunk& on_chunk) = 0;

  /// The target of a symbolic link below /proc.
  virtual Result<std::string> read_proc_link(std::string_view path) = 0;

  /// The inode number of a file below /proc. A file of /proc/PID/net has another one in each
  /// network namespace (fs/proc/generic.c, proc_register), and no privilege is needed to see it.
  virtual Result<std::uint64_t> read_proc_inode(std::string_view path) = 0;

  /// A file of tracefs, whole, wherever that is mounted.
  virtual Result<std::string> read_tracefs(std::string_view path) = 0;

  /// A file below /sys, whole.
  virtual Result<std::string> read_sys(std::string_view path) = 0;

  /// The target of a symbolic link below /sys; an empty text where the path is no link.
  virtual Result<std::string> read_sys_link(std::string_view path) = 0;

  /// Asks for a dump and hands over each receive buffer until `on_buffer` says kDone or fails. The
  /// buffer is gone after the call.
  virtual Result<void> dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) = 0;

  /// Counts and samples a tracepoint on an online CPU. Unavailable where the CPU is offline; the
  /// reason `permission` is for the event itself, not for the memory that its records take.
  virtual Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                             std::uint32_t cpu) = 0;

  /// A file below /proc, whole. Refuses one that is larger than any file read so can rightly be,
  /// rather than cutting it.
  Result<std::string> read_proc(std::string_view path);
};

/// Streams one text in chunks, as Kernel::stream_proc does a file.
using TextStream = std::function<Result<void>(const Kernel::OnChunk&)>;

/// The whole text of a stream. One of more than `most` bytes is refused rather than cut; `source`
/// names it in that error.
Result<std::string> gather_text(std::string source, std::size_t most, const TextStream& stream);

}  // namespace timewait
