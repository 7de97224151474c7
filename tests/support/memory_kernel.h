#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/kernel.h"
#include "daemon/kernel/fixture_kernel.h"

namespace timewait::test {

inline tl::unexpected<Error> unavailable(std::string source) {
  return tl::make_unexpected(
      Error{ErrorReason::kUnavailable, std::move(source), "No such file or directory"});
}

inline tl::unexpected<Error> forbidden(std::string source) {
  return tl::make_unexpected(
      Error{ErrorReason::kPermission, std::move(source), "Permission denied"});
}

/// A kernel made of texts in memory. What is not there is unavailable.
class MemoryKernel final : public Kernel {
 public:
  using Files = std::map<std::string, Result<std::string>, std::less<>>;

  Files proc;
  Files sys;
  Files links;  ///< of /sys
  Files proc_links;
  std::map<std::string, std::uint64_t, std::less<>> proc_inodes;
  std::optional<Files> tracefs;  ///< absent where it is not mounted
  std::string sockets;           ///< recorded sock_diag messages, see socket_message.h
  /// Those of the sockets that were bound explicitly; a kernel that cannot tell where it is absent.
  std::optional<std::string> explicit_binds;
  std::size_t chunk_size = 4096;
  /// Answers dumps instead of `sockets` where it is set.
  std::function<Result<void>(const SocketDump&, const OnBuffer&)> on_dump;
  std::vector<SocketDump> dumps;  ///< the requests so far
  /// Answers for the tracepoint on a CPU; without it events are refused.
  std::function<Result<std::unique_ptr<PerfEvent>>(const Tracepoint&, std::uint32_t)> on_tracepoint;

  std::string_view netns() const override { return "self"; }
  std::uint64_t page_size() const override { return 4096; }

  Result<void> stream_proc(std::string_view path, const OnChunk& on_chunk) override {
    const auto file = proc.find(path);
    if (file == proc.end()) return unavailable("/proc/" + std::string(path));
    if (!file->second) return tl::make_unexpected(file->second.error());
    for (std::string_view rest = *file->second; !rest.empty();) {
      const std::string_view chunk = rest.substr(0, chunk_size);
      if (auto taken = on_chunk(chunk); !taken) return taken;
      rest.remove_prefix(chunk.size());
    }
    return {};
  }

  Result<std::string> read_proc_link(std::string_view path) override {
    return find(proc_links, path, "/proc/");
  }
  Result<std::uint64_t> read_proc_inode(std::string_view path) override {
    const auto inode = proc_inodes.find(path);
    if (inode == proc_inodes.end()) return unavailable("/proc/" + std::string(path));
    return inode->second;
  }
  Result<std::string> read_tracefs(std::string_view path) override {
    if (!tracefs) return unavailable("tracefs");
    return find(*tracefs, path, "/sys/kernel/tracing/");
  }
  Result<std::string> read_sys(std::string_view path) override { return find(sys, path, "/sys/"); }
  Result<std::string> read_sys_link(std::string_view path) override {
    return find(links, path, "/sys/");
  }

  Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                     std::uint32_t cpu) override {
    if (!on_tracepoint) return forbidden("perf_event_open");
    return on_tracepoint(tracepoint, cpu);
  }

  Result<void> dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) override {
    dumps.push_back(dump);
    if (on_dump) return on_dump(dump, on_buffer);
    if (dump.only_explicit_binds && !explicit_binds) return unavailable("netlink sock_diag");
    const std::string& recording = dump.only_explicit_binds ? *explicit_binds : sockets;
    const std::string answer = filter_recorded_dump(recording, dump);
    return on_buffer({std::as_bytes(std::span(answer)), std::nullopt}).map([](DumpProgress) {});
  }

 private:
  static Result<std::string> find(const Files& files, std::string_view path, const char* root) {
    const auto file = files.find(path);
    if (file == files.end()) return unavailable(root + std::string(path));
    return file->second;
  }
};

}  // namespace timewait::test
