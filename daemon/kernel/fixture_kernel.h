#pragma once

#include <filesystem>

#include "collectors/kernel.h"
#include "daemon/kernel/files.h"

namespace timewait {

/// A recorded host: a directory with
///   - `proc/` and `sys/`;
///   - `netlink/tcp.nlmsg`, the raw messages of a dump of all TCP sockets, one NLMSG_DONE or more
///     among them (`ss -tan -D FILE` writes such a file). Without it the recording stands for a
///     host that refuses sock_diag;
///   - `tracefs/` and `perf/cpuN`, what the ring buffer of the tracepoint on that CPU holds.
///   Without
///     the one no tracefs is mounted there, without the other the CPU is one that refuses events.
/// Answers as the kernel would, so it filters the recorded sockets by state and family itself.
class FixtureKernel final : public Kernel {
 public:
  explicit FixtureKernel(const std::filesystem::path& directory);

  std::string_view netns() const override { return "self"; }
  std::uint64_t page_size() const override { return 4096; }

  std::string proc_path(std::string_view path) const override { return files_.proc_path(path); }
  Result<void> stream_proc(std::string_view path, const OnChunk& on_chunk) override {
    return files_.stream_proc(path, on_chunk);
  }
  Result<std::string> read_proc_link(std::string_view path) override {
    return files_.read_proc_link(path);
  }
  Result<std::uint64_t> read_proc_inode(std::string_view path) override {
    return files_.read_proc_inode(path);
  }
  Result<std::string> read_tracefs(std::string_view path) override;
  Result<std::string> read_sys(std::string_view path) override { return files_.read_sys(path); }
  Result<std::string> read_sys_link(std::string_view path) override {
    return files_.read_sys_link(path);
  }
  Result<void> dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) override;
  Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                     std::uint32_t cpu) override;

 private:
  std::filesystem::path directory_;
  KernelFiles files_;
};

/// The messages of `recording` that answer `dump`, and a closing NLMSG_DONE if the recording has
/// one. What is no socket message is left out; what does not parse is kept for the reader to find.
std::string filter_recorded_dump(std::string_view recording, const SocketDump& dump);

/// An event that has these records and no more, and has counted the samples among them and those
/// that its PERF_RECORD_LOST say were lost.
std::unique_ptr<PerfEvent> make_recorded_event(std::string records);

}  // namespace timewait
