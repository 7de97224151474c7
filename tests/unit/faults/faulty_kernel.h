#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/kernel/fixture_kernel.h"
#include "tests/support/fake_clock.h"

namespace timewait::test {

/// By which function of Kernel something is read.
enum class Door : std::uint8_t {
  kProc,
  kProcLink,
  kProcInode,
  kTracefs,
  kSys,
  kSysLink,
  kSockets,     ///< a dump
  kTracepoint,  ///< an event that is opened
  kCount,       ///< of an event
};

/// One thing that a collector reads.
struct Source {
  Door door;
  std::string path;  ///< of a file; empty for dumps; the CPU of an event

  auto operator<=>(const Source&) const = default;
};

/// A way in which a source can fail.
struct Fault {
  std::string name;
  ErrorReason reason;  ///< that is to be told
  /// Where it is set, reading gives this error, after the first half of the text if `is_midway`.
  std::optional<Error> error{};
  bool is_midway = false;
  /// What is read in place of the text, or of the messages of a dump.
  std::function<std::string(const std::string& text, std::mt19937& random)> change{};
};

/// The faults that a source may have.
std::vector<Fault> faults_of(Door door);

/// A recorded host of which one source at a time fails. It remembers what was read, and by whom.
/// What its events have sampled is there to be taken once, as on a host where nothing more happens.
class FaultyKernel final : public Kernel {
 public:
  FaultyKernel(const std::filesystem::path& recording, const FakeClock& clock, unsigned seed);

  std::string reader;                             ///< who reads from now on
  std::map<Source, std::set<std::string>> reads;  ///< so far: who has read what

  void inflict(const Source& source, const Fault& fault);
  void mend() { fault_.reset(); }
  /// Refuses dumps from now on, as a host without sock_diag does. Not mended.
  void refuse_dumps() { refuses_dumps_ = true; }

  std::string_view netns() const override { return "self"; }
  std::uint64_t page_size() const override { return 4096; }
  Result<void> stream_proc(std::string_view path, const OnChunk& on_chunk) override;
  Result<std::string> read_proc_link(std::string_view path) override;
  Result<std::uint64_t> read_proc_inode(std::string_view path) override;
  Result<std::string> read_tracefs(std::string_view path) override;
  Result<std::string> read_sys(std::string_view path) override;
  Result<std::string> read_sys_link(std::string_view path) override;
  Result<void> dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) override;
  Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                     std::uint32_t cpu) override;

 private:
  /// The fault of this source at the moment, if it has one.
  const Fault* read(Door door, std::string_view path);
  Result<std::string> read_text(Door door, std::string_view path,
                                const std::function<Result<std::string>()>& read_recorded);

  FixtureKernel recorded_;
  std::map<Source, Result<std::string>> texts_;  ///< of the recording
  const FakeClock& clock_;
  std::mt19937 random_;
  std::optional<std::pair<Source, Fault>> fault_;
  bool refuses_dumps_ = false;
  std::set<std::uint32_t> opened_;
};

}  // namespace timewait::test
