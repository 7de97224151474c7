#pragma once

#include <filesystem>

#include "collectors/kernel.h"
#include "daemon/kernel/files.h"
#include "daemon/kernel/netlink_socket.h"
#include "daemon/kernel/perf_ring.h"

namespace timewait {

/// The running kernel, in the network namespace of the process.
class LiveKernel final : public Kernel {
 public:
  /// `proc` and `sys` are where procfs and sysfs are mounted.
  LiveKernel(std::filesystem::path proc, std::filesystem::path sys)
      : files_(std::move(proc), std::move(sys)) {}

  std::string_view netns() const override { return "self"; }
  std::uint64_t page_size() const override;

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
  Result<void> dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) override {
    return netlink_.dump(dump, on_buffer);
  }
  Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                     std::uint32_t cpu) override {
    return open_perf_event(tracepoint, cpu);
  }

 private:
  KernelFiles files_;
  NetlinkSocket netlink_;
};

}  // namespace timewait
