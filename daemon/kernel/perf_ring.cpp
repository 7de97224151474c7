#include "daemon/kernel/perf_ring.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <utility>
#include <vector>

#include "collectors/parse/perf_records.h"
#include "daemon/kernel/errno_error.h"

namespace timewait {

namespace {

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

constexpr const char* kSource = "perf_event_open";

tl::unexpected<Error> failure(std::string_view what) {
  const int number = errno;
  Error error = errno_error(number, kSource);
  error.detail = std::string(what) + ": " + error.detail;
  if (number == ENOSYS) error.detail += " (a seccomp filter, or a kernel without perf events)";
  return tl::make_unexpected(std::move(error));
}

/// What is missing here is memory that may be locked, not the right to the event.
tl::unexpected<Error> mapping_failure() {
  auto failed = failure("mapping its ring buffer");
  failed.value().reason = ErrorReason::kIo;
  failed.value().detail +=
      " (beyond kernel.perf_event_mlock_kb and RLIMIT_MEMLOCK, without CAP_IPC_LOCK)";
  return failed;
}

/// Whether a descriptor is one of the last that this process may have. The lowest free number is
/// given out first, so the number tells how many there are.
bool is_among_the_last(int descriptor) {
  constexpr rlim_t kForTheRest = 8;
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<rlim_t>(descriptor) + kForTheRest >= limit.rlim_cur;
}

/// The page of control data and, behind it, the ring (struct perf_event_mmap_page).
class Mapping {
 public:
  Mapping(void* start, std::size_t size) : start_(start), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping(Mapping&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(other.size_) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (start_ != nullptr) ::munmap(start_, size_);
  }

  perf_event_mmap_page& control() const { return *static_cast<perf_event_mmap_page*>(start_); }
  std::span<const std::byte> ring() const {
    return std::span(static_cast<const std::byte*>(start_), size_).subspan(page_size());
  }

 private:
  void* start_;
  std::size_t size_;
};

class PerfRing final : public PerfEvent {
 public:
  PerfRing(FileDescriptor event, Mapping mapping)
      : event_(std::move(event)), mapping_(std::move(mapping)) {}

  void take_records(const OnRecords& on_records) override {
    perf_event_mmap_page& control = mapping_.control();
    // What the kernel wrote before it moved the head is to be seen after the head is read, and what
    // is read here is read before it is given back.
    const std::uint64_t head = std::atomic_ref(control.data_head).load(std::memory_order_acquire);
    const std::uint64_t tail = control.data_tail;
    if (head == tail) return;
    read_ring(mapping_.ring(), tail, head, on_records);
    std::atomic_ref(control.data_tail).store(head, std::memory_order_release);
  }

  Result<Count> read_count() override {
    std::array<std::uint64_t, 2> values{};
    const ssize_t size = ::read(event_.get(), values.data(), sizeof(values));
    if (size < 0) return failure("reading the count");
    if (size != sizeof(values)) {
      return tl::make_unexpected(
          Error{ErrorReason::kMalformed, kSource,
                "expected a count of 16 bytes, found " + std::to_string(size)});
    }
    return Count{values[0], std::chrono::nanoseconds(values[1])};
  }

  int descriptor() const override { return event_.get(); }

 private:
  FileDescriptor event_;
  Mapping mapping_;
};

perf_event_attr make_attributes(const Tracepoint& tracepoint) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = tracepoint.id;
  attributes.sample_period = 1;
  attributes.sample_type = parse::kPerfSampleType;
  attributes.read_format = parse::kPerfReadFormat;
  attributes.wakeup_events = 1;
  attributes.disabled = 1;  // until the filter is set
  return attributes;
}

}  // namespace

std::size_t count_possible_cpus() {
  return static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_CONF), 1L));
}

std::size_t compute_ring_size(std::size_t cpus, std::size_t page_size) {
  constexpr std::size_t kMost = std::size_t{64} * 1024;
  constexpr std::size_t kMostTogether = std::size_t{4} * 1024 * 1024;
  const std::size_t share = kMostTogether / std::max(cpus, std::size_t{1});
  return std::max(std::bit_floor(std::min(kMost, share)), page_size);
}

void read_ring(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head,
               const PerfEvent::OnRecords& on_records) {
  const auto begin = static_cast<std::size_t>(tail) & (ring.size() - 1);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(head - tail, ring.size()));
  if (begin + size <= ring.size()) return on_records(ring.subspan(begin, size));
  const std::span<const std::byte> at_the_end = ring.subspan(begin);
  const std::span<const std::byte> at_the_beginning = ring.first(size - at_the_end.size());
  std::vector<std::byte> joined(at_the_end.begin(), at_the_end.end());
  joined.insert(joined.end(), at_the_beginning.begin(), at_the_beginning.end());
  on_records(joined);
}

Result<std::unique_ptr<PerfEvent>> open_perf_event(const Tracepoint& tracepoint,
                                                   std::uint32_t cpu) {
  perf_event_attr attributes = make_attributes(tracepoint);
  FileDescriptor event(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, /*pid=*/-1,
                                 static_cast<int>(cpu), /*group=*/-1, PERF_FLAG_FD_CLOEXEC)));
  if (!event.is_open()) return failure("opening");
  if (is_among_the_last(event.get())) {
    return tl::make_unexpected(
        Error{ErrorReason::kIo, kSource, "would take one of the last file descriptors"});
  }
  if (::ioctl(event.get(), PERF_EVENT_IOC_SET_FILTER, tracepoint.filter.c_str()) != 0) {
    return failure("setting the filter");
  }
  // Writable, because that is how the kernel is told what has been read.
  const std::size_t size = page_size() + compute_ring_size(count_possible_cpus(), page_size());
  void* const start =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), /*offset=*/0);
  if (start == MAP_FAILED) return mapping_failure();
  Mapping mapping(start, size);
  if (::ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return failure("enabling");
  return std::make_unique<PerfRing>(std::move(event), std::move(mapping));
}

}  // namespace timewait
