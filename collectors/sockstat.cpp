#include "collectors/parse/sockstat.h"

#include <array>

#include "collectors/collector.h"
#include "collectors/fields_file.h"
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

class SockstatCollector final : public Collector {
 public:
  explicit SockstatCollector(Kernel& kernel) : kernel_(kernel) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const FieldsFile ipv4(kernel_, "net/sockstat", "TCP", parse::parse_sockstat);
    if (ipv4.error() != nullptr) out.report(*ipv4.error());
    const auto page_size = static_cast<double>(kernel_.page_size());
    emit(ipv4, "tw", kTimeWait, {kernel_.netns()}, out);
    emit(ipv4, "inuse", kInUse, {kernel_.netns()}, out);
    emit(ipv4, "orphan", kOrphans, {}, out);
    emit(ipv4, "alloc", kAllocated, {}, out);
    emit(ipv4, "mem", kMemory, {}, out, page_size);

    const FieldsFile ipv6(kernel_, "net/sockstat6", "TCP6", parse::parse_sockstat);
    // A kernel without IPv6 has no such file.
    if (ipv6.error() != nullptr && ipv6.error()->reason != ErrorReason::kUnavailable) {
      out.report(*ipv6.error());
    }
    emit(ipv6, "inuse", kIpv6InUse, {kernel_.netns()}, out);
    return {};
  }

 private:
  static void emit(const FieldsFile& file, std::string_view key, const MetricDescription& metric,
                   std::initializer_list<std::string_view> labels, CollectorOutput& out,
                   double unit = 1) {
    const auto value = file.find(key);
    if (value && !*value && file.error() == nullptr) {
      out.report(file.lacks(key));
    } else if (!value) {
      out.report(value.error());
    } else if (*value) {
      out.metrics.emit(metric, as_sample(**value) * unit, labels);
    }
  }

  Kernel& kernel_;
};

CollectorFactory configure(config::OptionReader& /*options*/) {
  return [](const CollectorContext& context) {
    return std::make_unique<SockstatCollector>(context.kernel);
  };
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
