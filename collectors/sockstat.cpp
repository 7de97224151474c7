#include "collectors/parse/sockstat.h"

#include <array>

#include "collectors/collector.h"
#include "config/option_reader.h"

namespace timewait {

namespace {

constexpr MetricDescription kTimeWait{
    "timewait_sockstat_tcp_time_wait",
    MetricType::kGauge,
    "TCP tw in /proc/net/sockstat: TIME-WAIT sockets, FIN-WAIT-2 minisocks included.",
    {"netns"}};
constexpr MetricDescription kInUse{
    "timewait_sockstat_tcp_in_use",
    MetricType::kGauge,
    "TCP inuse in /proc/net/sockstat: IPv4 TCP sockets, listening ones included, TIME-WAIT not.",
    {"netns"}};
constexpr MetricDescription kIpv6InUse{
    "timewait_sockstat_tcp6_in_use",
    MetricType::kGauge,
    "TCP6 inuse in /proc/net/sockstat6: IPv6 TCP sockets, listening ones included, TIME-WAIT not.",
    {"netns"}};
constexpr MetricDescription kOrphans{
    "timewait_sockstat_tcp_orphans", MetricType::kGauge,
    "TCP orphan in /proc/net/sockstat: sockets that no process holds any more, of the whole host."};
constexpr MetricDescription kAllocated{
    "timewait_sockstat_tcp_allocated", MetricType::kGauge,
    "TCP alloc in /proc/net/sockstat: allocated TCP sockets in any state, of the whole host."};
constexpr MetricDescription kMemory{
    "timewait_sockstat_tcp_memory_bytes", MetricType::kGauge,
    "TCP mem in /proc/net/sockstat, in bytes: memory of TCP socket buffers, of the whole host."};

constexpr std::array kMetrics{kTimeWait, kInUse, kIpv6InUse, kOrphans, kAllocated, kMemory};

Result<parse::Sockstat> read_sockstat(Kernel& kernel, std::string_view path) {
  return kernel.read_proc(path).and_then([&](const std::string& text) {
    return parse::parse_sockstat(text).map_error(from_source("/proc/" + std::string(path)));
  });
}

class SockstatCollector final : public Collector {
 public:
  explicit SockstatCollector(Kernel& kernel) : kernel_(kernel) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const auto sockstat = read_sockstat(kernel_, "net/sockstat");
    if (!sockstat) return tl::make_unexpected(sockstat.error());
    emit_ipv4(*sockstat, out.metrics);

    const auto sockstat6 = read_sockstat(kernel_, "net/sockstat6");
    if (sockstat6) {
      emit(kIpv6InUse, sockstat6->tcp6_in_use, out.metrics, {kernel_.netns()});
    } else if (sockstat6.error().reason != ErrorReason::kUnavailable) {
      out.report(sockstat6.error());  // a kernel without IPv6 has no such file
    }
    return {};
  }

 private:
  static void emit(const MetricDescription& metric, std::optional<std::uint64_t> value,
                   MetricBuilder& metrics, std::initializer_list<std::string_view> labels = {}) {
    if (value) metrics.emit(metric, as_sample(*value), labels);
  }

  void emit_ipv4(const parse::Sockstat& sockstat, MetricBuilder& metrics) const {
    emit(kTimeWait, sockstat.tcp_time_wait, metrics, {kernel_.netns()});
    emit(kInUse, sockstat.tcp_in_use, metrics, {kernel_.netns()});
    emit(kOrphans, sockstat.tcp_orphans, metrics);
    emit(kAllocated, sockstat.tcp_allocated, metrics);
    if (sockstat.tcp_memory_pages) {
      metrics.emit(kMemory, as_sample(*sockstat.tcp_memory_pages) * as_sample(kernel_.page_size()));
    }
  }

  Kernel& kernel_;
};

CollectorFactory configure(config::OptionReader& /*options*/) {
  return [](Kernel& kernel) { return std::make_unique<SockstatCollector>(kernel); };
}

}  // namespace

extern const CollectorEntry sockstat_collector{
    .name = "sockstat",
    .help = "TCP sockets, orphans and memory from /proc/net/sockstat and sockstat6.",
    .privilege = "none",
    .enabled_by_default = true,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
