#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "collectors/kernel.h"
#include "tests/support/memory_kernel.h"
#include "tests/support/perf_records.h"

namespace timewait::test {

/// Events on the CPUs of a kernel in memory. A test lets the tracepoint fire, time pass, and CPUs
/// come and go.
class FakePerfEvents {
 public:
  /// What is open on a CPU, or was before it went: the events die with their CPU.
  struct Cpu {
    std::string records;
    std::uint64_t firings = 0;
    std::chrono::nanoseconds enabled{};
    bool is_alive = true;
    bool is_open = true;
    int counts_asked = 0;
  };

  std::optional<Error> refusal;               ///< on every CPU that is opened
  std::map<std::uint32_t, Error> refusal_on;  ///< on that one
  std::optional<Error> count_refusal;
  std::string filter;  ///< of the last event that was opened
  std::uint64_t id = 0;
  int tried = 0;  ///< to be opened
  int opened = 0;

  /// `online` is what /sys shows.
  void connect(MemoryKernel& kernel, const std::string& online) {
    set_online(kernel, online);
    kernel.on_tracepoint = [this](const Tracepoint& tracepoint, std::uint32_t cpu) {
      return open(tracepoint, cpu);
    };
  }
  static void set_online(MemoryKernel& kernel, const std::string& online) {
    kernel.sys.insert_or_assign("devices/system/cpu/online", online + "\n");
  }

  Cpu& cpu(std::uint32_t number) { return *cpus_.at(number); }

  /// The tracepoint fires on a CPU, and there is room for the sample or not.
  void fire(std::uint32_t number, std::uint32_t process, std::uint32_t thread,
            const std::string& raw = "") {
    const std::uint64_t firing = ++cpu(number).firings;
    cpu(number).records += perf_sample(process, thread, raw, firing);
  }
  void lose(std::uint32_t number, std::uint64_t count = 1) { cpu(number).firings += count; }

  void pass(std::chrono::nanoseconds time) {
    for (auto& [number, cpu] : cpus_) {
      if (cpu->is_alive) cpu->enabled += time;
    }
  }
  /// The CPU goes offline, whatever /sys shows by the next poll.
  void kill(std::uint32_t number) { cpu(number).is_alive = false; }

 private:
  class Event final : public PerfEvent {
   public:
    Event(FakePerfEvents& all, std::shared_ptr<Cpu> cpu) : all_(all), cpu_(std::move(cpu)) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    Event(Event&&) = delete;
    Event& operator=(Event&&) = delete;
    ~Event() override { cpu_->is_open = false; }

    void take_records(const OnRecords& on_records) override {
      const std::string records = std::exchange(cpu_->records, {});
      if (!records.empty()) on_records(std::as_bytes(std::span(records)));
    }
    Result<Count> read_count() override {
      ++cpu_->counts_asked;
      if (all_.count_refusal) return tl::make_unexpected(*all_.count_refusal);
      return Count{cpu_->firings, cpu_->enabled};
    }
    int descriptor() const override { return 1000; }

   private:
    FakePerfEvents& all_;
    std::shared_ptr<Cpu> cpu_;
  };

  Result<std::unique_ptr<PerfEvent>> open(const Tracepoint& tracepoint, std::uint32_t number) {
    ++tried;
    if (refusal) return tl::make_unexpected(*refusal);
    if (const auto found = refusal_on.find(number); found != refusal_on.end()) {
      return tl::make_unexpected(found->second);
    }
    ++opened;
    id = tracepoint.id;
    filter = tracepoint.filter;
    cpus_[number] = std::make_shared<Cpu>();
    return std::make_unique<Event>(*this, cpus_[number]);
  }

  std::map<std::uint32_t, std::shared_ptr<Cpu>> cpus_;
};

}  // namespace timewait::test
