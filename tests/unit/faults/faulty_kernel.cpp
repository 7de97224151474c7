#include "tests/unit/faults/faulty_kernel.h"

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "daemon/kernel/errno_error.h"
#include "tests/support/socket_message.h"

namespace timewait::test {

namespace {

std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t below(std::size_t limit, std::mt19937& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::string random_bytes(std::size_t count, std::mt19937& random) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(below(256, random));
  return bytes;
}

/// Somewhere within a line.
std::string cut(const std::string& text, std::mt19937& random) {
  std::vector<std::size_t> places;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i - 1] != '\n') places.push_back(i);
  }
  return places.empty() ? std::string() : text.substr(0, places[below(places.size(), random)]);
}

Fault failing(std::string name, int error, bool is_midway = false) {
  Error made = errno_error(error, "");
  return {std::move(name), made.reason, made, is_midway, {}};
}

std::vector<Fault> faults_of_opening() {
  return {failing("EIO", EIO), failing("EACCES", EACCES), failing("ENOENT", ENOENT),
          failing("EMFILE", EMFILE), failing("ENOMEM", ENOMEM)};
}

std::vector<Fault> faults_of_text() {
  std::vector<Fault> faults = faults_of_opening();
  faults.push_back(failing("a directory", EISDIR));
  faults.push_back(failing("EIO in the middle", EIO, /*is_midway=*/true));
  const auto becomes = [&](std::string name, decltype(Fault::change) change) {
    faults.push_back({std::move(name), ErrorReason::kMalformed, {}, false, std::move(change)});
  };
  becomes("empty", [](const auto&, auto&) { return std::string(); });
  becomes("cut off", cut);
  becomes("twice as long", [](const auto& text, auto&) { return text + text; });
  becomes("garbage", [](const auto&, auto& random) { return random_bytes(4096, random); });
  becomes("NULs", [](const auto& text, auto&) { return std::string(text.size(), '\0'); });
  becomes("huge", [](const auto&, auto&) { return std::string(std::size_t{2} << 20U, '1'); });
  return faults;
}

/// The stream's first message, and all else.
std::pair<std::string, std::string> split_message(const std::string& stream) {
  nlmsghdr header{};
  std::memcpy(&header, stream.data(), sizeof(header));
  const std::size_t size = NLMSG_ALIGN(header.nlmsg_len);
  return {stream.substr(0, size), stream.substr(size)};
}

template <class Change>
auto with_changed_header(Change change) {
  return [change](const std::string& stream, std::mt19937&) {
    auto [message, rest] = split_message(stream);
    nlmsghdr header{};
    std::memcpy(&header, message.data(), sizeof(header));
    change(header);
    std::memcpy(message.data(), &header, sizeof(header));
    return message + rest;
  };
}

std::vector<Fault> faults_of_dumps() {
  std::vector<Fault> faults{failing("refused", EPERM),
                            failing("without module", ENOENT),
                            failing("ENOBUFS", ENOBUFS),
                            failing("silent until the deadline", EAGAIN),
                            failing("EMFILE", EMFILE),
                            failing("ENOMEM", ENOMEM),
                            failing("EIO in the middle", EIO, true),
                            failing("ENOBUFS in the middle", ENOBUFS, true)};
  const auto becomes = [&](std::string name, ErrorReason reason, decltype(Fault::change) change) {
    faults.push_back({std::move(name), reason, {}, false, std::move(change)});
  };
  becomes("interrupted", ErrorReason::kInterrupted,
          with_changed_header([](nlmsghdr& header) { header.nlmsg_flags |= NLM_F_DUMP_INTR; }));
  becomes("overrun", ErrorReason::kInterrupted,
          [](const auto& stream, auto&) { return netlink_status(NLMSG_OVERRUN, 0) + stream; });
  becomes("an error message", ErrorReason::kIo, [](const auto& stream, auto&) {
    return split_message(stream).first + netlink_status(NLMSG_ERROR, -EIO);
  });
  becomes("refused at its end", ErrorReason::kUnavailable,
          [](const auto&, auto&) { return netlink_status(NLMSG_DONE, -ENOENT); });
  becomes("garbage", ErrorReason::kMalformed,
          [](const auto&, auto& random) { return random_bytes(4096, random); });
  becomes("NULs", ErrorReason::kMalformed,
          [](const auto& stream, auto&) { return std::string(stream.size(), '\0'); });
  becomes("a length beyond the buffer", ErrorReason::kMalformed,
          with_changed_header([](nlmsghdr& header) { header.nlmsg_len = 1U << 20U; }));
  becomes("a length below a header", ErrorReason::kMalformed,
          with_changed_header([](nlmsghdr& header) { header.nlmsg_len = 3; }));
  becomes("a socket of two bytes", ErrorReason::kMalformed, [](const auto& stream, auto&) {
    return netlink_message(SOCK_DIAG_BY_FAMILY, "ab") + stream;
  });
  becomes("cut off within a message", ErrorReason::kMalformed, [](const auto& stream, auto&) {
    const std::string message = split_message(stream).first;
    return message.substr(0, message.size() - NLMSG_ALIGNTO);
  });
  // These wait in vain for the end, until the socket's deadline.
  becomes("without an end", ErrorReason::kInterrupted, [](const auto& stream, auto&) {
    return stream.substr(0,
                         stream.size() - split_message(netlink_status(NLMSG_DONE, 0)).first.size());
  });
  becomes("another request's answer", ErrorReason::kInterrupted,
          [](const auto& stream, auto&) { return stream; });
  return faults;
}

/// Has what the recording has, at the time of the clock.
class TimedEvent final : public PerfEvent {
 public:
  TimedEvent(std::unique_ptr<PerfEvent> recorded, bool is_first, const FakeClock& clock,
             std::function<const Fault*()> find_fault)
      : recorded_(std::move(recorded)),
        is_first_(is_first),
        clock_(clock),
        find_fault_(std::move(find_fault)) {}

  void take_records(const OnRecords& on_records) override {
    if (is_first_) recorded_->take_records(on_records);
  }
  Result<Count> read_count() override {
    if (const Fault* const fault = find_fault_()) return tl::make_unexpected(*fault->error);
    auto count = recorded_->read_count();
    if (count) *count = {is_first_ ? count->firings : 0, clock_.time - opened_};
    return count;
  }
  int descriptor() const override { return -1; }

 private:
  std::unique_ptr<PerfEvent> recorded_;
  bool is_first_;
  const FakeClock& clock_;
  std::function<const Fault*()> find_fault_;
  SteadyTime opened_ = clock_.time;
};

}  // namespace

std::vector<Fault> faults_of(Door door) {
  switch (door) {
    case Door::kProc:
    case Door::kTracefs:
    case Door::kSys:
      return faults_of_text();
    case Door::kSockets:
      return faults_of_dumps();
    case Door::kProcLink:
    case Door::kProcInode:
    case Door::kSysLink:
    case Door::kTracepoint:
      return faults_of_opening();
    case Door::kCount:
      return {failing("EIO", EIO)};
  }
  return {};
}

FaultyKernel::FaultyKernel(const std::filesystem::path& recording, const FakeClock& clock,
                           unsigned seed)
    : recorded_(recording), clock_(clock), random_(seed) {
  // A host that hides no processes.
  texts_.emplace(Source{Door::kProc, "1/comm"}, "systemd\n");
}

void FaultyKernel::inflict(const Source& source, const Fault& fault) { fault_ = {source, fault}; }

const Fault* FaultyKernel::read(Door door, std::string_view path) {
  Source source{door, std::string(path)};
  const bool has_fault = fault_ && fault_->first == source;
  reads[std::move(source)].insert(reader);
  return has_fault ? &fault_->second : nullptr;
}

Result<std::string> FaultyKernel::read_text(
    Door door, std::string_view path, const std::function<Result<std::string>()>& read_recorded) {
  const Fault* const fault = read(door, path);
  if (fault != nullptr && fault->error) {
    Error error = *fault->error;
    error.source = std::string(path);
    return tl::make_unexpected(error);
  }
  const Source source{door, std::string(path)};
  auto found = texts_.find(source);
  if (found == texts_.end()) found = texts_.emplace(source, read_recorded()).first;
  if (fault == nullptr || !found->second) return found->second;
  std::string changed = fault->change(*found->second, random_);
  constexpr std::size_t kMost = std::size_t{64} * 1024;
  if (door == Door::kProc || changed.size() <= kMost) return changed;
  return malformed(std::string(path) + ": larger than 64 KiB, refused");
}

Result<void> FaultyKernel::stream_proc(std::string_view path, const OnChunk& on_chunk) {
  const bool fails_midway =
      fault_ && fault_->second.is_midway && fault_->first == Source{Door::kProc, std::string(path)};
  if (fails_midway) {
    const auto whole = texts_.find(fault_->first);
    if (whole != texts_.end() && whole->second) {
      auto taken = on_chunk(std::string_view(*whole->second).substr(0, whole->second->size() / 2));
      if (!taken) return taken;
    }
  }
  const auto text = read_text(Door::kProc, path, [&] {
    std::string gathered;
    return recorded_
        .stream_proc(path,
                     [&](std::string_view chunk) -> Result<void> {
                       gathered.append(chunk);
                       return {};
                     })
        .map([&] { return gathered; });
  });
  if (!text) return tl::make_unexpected(text.error());
  return text->empty() ? Result<void>() : on_chunk(*text);
}

Result<std::string> FaultyKernel::read_proc_link(std::string_view path) {
  return read_text(Door::kProcLink, path, [&] { return recorded_.read_proc_link(path); });
}
Result<std::string> FaultyKernel::read_tracefs(std::string_view path) {
  return read_text(Door::kTracefs, path, [&] { return recorded_.read_tracefs(path); });
}
Result<std::string> FaultyKernel::read_sys(std::string_view path) {
  return read_text(Door::kSys, path, [&] { return recorded_.read_sys(path); });
}
Result<std::string> FaultyKernel::read_sys_link(std::string_view path) {
  return read_text(Door::kSysLink, path, [&] { return recorded_.read_sys_link(path); });
}

Result<std::uint64_t> FaultyKernel::read_proc_inode(std::string_view path) {
  const Fault* const fault = read(Door::kProcInode, path);
  if (fault != nullptr) return tl::make_unexpected(*fault->error);
  return recorded_.read_proc_inode(path);
}

Result<void> FaultyKernel::dump_sockets(const SocketDump& dump, const OnBuffer& on_buffer) {
  if (refuses_dumps_) return tl::make_unexpected(errno_error(EPERM, "netlink sock_diag"));
  const Fault* const fault = read(Door::kSockets, "");
  if (fault == nullptr) return recorded_.dump_sockets(dump, on_buffer);
  const auto fail = [](Error error) -> Result<void> {
    error.source = "netlink sock_diag";
    return tl::make_unexpected(error);
  };
  if (fault->error && !fault->is_midway) return fail(*fault->error);

  std::string stream;
  const auto gather = [&](const NetlinkBuffer& buffer) -> Result<DumpProgress> {
    stream = as_text(buffer.bytes);
    return DumpProgress::kDone;
  };
  if (auto whole = recorded_.dump_sockets(dump, gather); !whole) return whole;
  stream = fault->is_midway ? split_message(stream).first : fault->change(stream, random_);
  // No message of the recording has this one.
  constexpr std::uint32_t kOther = 0x0ddba115;
  const bool is_foreign = fault->name == "another request's answer";
  auto progress = on_buffer(
      {std::as_bytes(std::span(stream)), is_foreign ? std::optional(kOther) : std::nullopt});
  if (!progress) return tl::make_unexpected(progress.error());
  if (*progress == DumpProgress::kDone) return {};
  return fail(fault->is_midway ? *fault->error : errno_error(EAGAIN, ""));
}

Result<std::unique_ptr<PerfEvent>> FaultyKernel::open_tracepoint(const Tracepoint& tracepoint,
                                                                 std::uint32_t cpu) {
  const std::string number = std::to_string(cpu);
  if (const Fault* const fault = read(Door::kTracepoint, number)) {
    return tl::make_unexpected(*fault->error);
  }
  return recorded_.open_tracepoint(tracepoint, cpu).map([&](std::unique_ptr<PerfEvent> event) {
    return std::unique_ptr<PerfEvent>(
        std::make_unique<TimedEvent>(std::move(event), opened_.insert(cpu).second, clock_,
                                     [this, number] { return read(Door::kCount, number); }));
  });
}

}  // namespace timewait::test
