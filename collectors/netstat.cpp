#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/fields_file.h"
#include "collectors/parse/counters.h"
#include "config/option_reader.h"

namespace timewait {

namespace {

constexpr std::string_view kTcpExt = "TcpExt";  // /proc/net/netstat
constexpr std::string_view kTcp = "Tcp";        // /proc/net/snmp

struct Field {
  std::string_view protocol;
  std::string_view name;
  std::string_view meaning;
};

/// The kernel's names (net/ipv4/proc.c, snmp4_net_list and snmp4_tcp_list). Fields come and go with
/// kernel versions: PAWSPassive went with tcp_tw_recycle in 4.12, PAWSTimewait came after 6.12.
constexpr std::array kFields{
    Field{kTcpExt, "TW", "sockets that entered TIME-WAIT or a FIN-WAIT-2 minisock"},
    Field{kTcpExt, "TWRecycled", "connects that took over the quadruplet of a TIME-WAIT socket"},
    Field{kTcpExt, "TWKilled",
          "sockets that entered TIME-WAIT with a timeout of at most 4 seconds, not counted in TW"},
    Field{kTcpExt, "PAWSPassive",
          "connections refused by the timestamp check of tcp_tw_recycle, until Linux 4.11"},
    Field{kTcpExt, "PAWSActive", "segments dropped in SYN-SENT for an old timestamp"},
    Field{kTcpExt, "PAWSEstab", "segments dropped on established connections for an old timestamp"},
    Field{kTcpExt, "PAWSOldAck", "old acknowledgements dropped for their timestamp"},
    Field{kTcpExt, "PAWSTimewait", "segments dropped in TIME-WAIT for an old timestamp"},
    Field{kTcpExt, "TSEcrRejected", "segments dropped for an echoed timestamp never sent"},
    Field{kTcpExt, "BeyondWindow", "segments dropped for lying beyond the receive window"},
    Field{kTcpExt, "TCPTimeWaitOverflow",
          "closes without TIME-WAIT because tcp_max_tw_buckets was reached or memory was short"},
    Field{kTcpExt, "TCPACKSkippedTimeWait",
          "acknowledgements not sent from TIME-WAIT because of their rate limit"},
    Field{kTcpExt, "TCPACKSkippedFinWait2",
          "acknowledgements not sent from FIN-WAIT-2 because of their rate limit"},
    Field{kTcpExt, "TCPACKSkippedPAWS",
          "acknowledgements of segments with old timestamps not sent because of their rate limit"},
    Field{kTcpExt, "TCPAbortOnData",
          "connections reset at close with SO_LINGER 0, or because data came after close"},
    Field{kTcpExt, "TCPAbortOnClose", "connections reset because data was unread at close"},
    Field{kTcpExt, "TCPAbortOnLinger",
          "connections reset in FIN-WAIT-2 because TCP_LINGER2 is negative"},
    Field{kTcpExt, "TCPAbortOnTimeout", "connections given up after too many retransmissions"},
    Field{kTcpExt, "TCPAbortOnMemory", "connections reset for lack of memory or too many orphans"},
    Field{kTcpExt, "ListenOverflows", "connections dropped because the accept queue was full"},
    Field{kTcpExt, "ListenDrops", "connections dropped on listening sockets for any reason"},
    Field{kTcpExt, "EmbryonicRsts", "resets received in SYN-RECV"},
    Field{kTcpExt, "TCPReqQFullDrop", "SYNs dropped because the SYN queue was full"},
    Field{kTcpExt, "TCPReqQFullDoCookies",
          "SYNs answered with a cookie because the queue was full"},
    Field{kTcpExt, "SyncookiesSent", "SYN cookies sent"},
    Field{kTcpExt, "SyncookiesRecv", "valid SYN cookies received"},
    Field{kTcpExt, "SyncookiesFailed", "invalid SYN cookies received"},
    Field{kTcp, "ActiveOpens", "connects that found a port and sent a SYN"},
    Field{kTcp, "PassiveOpens", "connections accepted from a SYN"},
    Field{kTcp, "AttemptFails", "connections that failed in SYN-SENT or SYN-RECV"},
    Field{kTcp, "EstabResets", "resets of established connections and of CLOSE-WAIT"},
    Field{kTcp, "OutRsts", "segments sent with the RST flag"},
    Field{kTcp, "CurrEstab", "connections in ESTABLISHED or CLOSE-WAIT now"},
};

/// Fields of Tcp that are limits, not counters: extra_fields does not take them.
constexpr std::array<std::string_view, 4> kNotCounters{"RtoAlgorithm", "RtoMin", "RtoMax",
                                                       "MaxConn"};

constexpr MetricDescription kAvailable{
    "timewait_netstat_field_available",
    MetricType::kGauge,
    "1 if the field was found in /proc/net/netstat or /proc/net/snmp and read, else 0.",
    {"netns", "field"}};

RunTimeMetric metric_of(const Field& field) {
  const std::string_view file = field.protocol == kTcp ? "/proc/net/snmp" : "/proc/net/netstat";
  const bool is_gauge = field.name == "CurrEstab";
  return {"timewait_netstat_" + parse::to_snake_case(field.name) + (is_gauge ? "" : "_total"),
          is_gauge ? MetricType::kGauge : MetricType::kCounter,
          std::string(field.protocol) + " " + std::string(field.name) + " in " + std::string(file) +
              ": " + std::string(field.meaning) + ".",
          {"netns"}};
}

RunTimeMetric metric_of_extra(std::string_view name) {
  return {"timewait_netstat_" + parse::to_snake_case(name) + "_total",
          MetricType::kCounter,
          std::string(name) + " in /proc/net/netstat or /proc/net/snmp, added by extra_fields.",
          {"netns"}};
}

const std::vector<RunTimeMetric>& metrics_of_fields() {
  static const std::vector<RunTimeMetric> metrics = [] {
    std::vector<RunTimeMetric> made;
    made.reserve(kFields.size());
    for (const Field& field : kFields) made.push_back(metric_of(field));
    return made;
  }();
  return metrics;
}

std::span<const MetricDescription> declared_metrics() {
  static const std::vector<MetricDescription> declared = [] {
    std::vector<MetricDescription> made{kAvailable};
    for (const RunTimeMetric& metric : metrics_of_fields()) made.push_back(metric.description());
    return made;
  }();
  return declared;
}

class NetstatCollector final : public Collector {
 public:
  NetstatCollector(Kernel& kernel, const std::vector<std::string>& extra_fields)
      : kernel_(kernel), extra_fields_(extra_fields) {
    for (const std::string& field : extra_fields) extra_metrics_.push_back(metric_of_extra(field));
  }

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const FieldsFile netstat(kernel_, "net/netstat", kTcpExt, parse::parse_counters);
    const FieldsFile snmp(kernel_, "net/snmp", kTcp, parse::parse_counters);
    for (const FieldsFile* file : {&netstat, &snmp}) {
      if (file->error() != nullptr) out.report(*file->error());
    }
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      const std::string_view name = kFields[i].name;
      const FieldsFile& file = kFields[i].protocol == kTcp ? snmp : netstat;
      emit(name, file.find(name), metrics_of_fields()[i].description(), out);
    }
    for (std::size_t i = 0; i < extra_fields_.size(); ++i) {
      emit_extra(extra_fields_[i], netstat, snmp, extra_metrics_[i].description(), out);
    }
    return {};
  }

 private:
  void emit(std::string_view name, const Result<std::optional<std::uint64_t>>& value,
            const MetricDescription& metric, CollectorOutput& out) const {
    if (!value) out.report(value.error());
    const bool is_available = value && value->has_value();
    out.metrics.emit(kAvailable, is_available ? 1 : 0, {kernel_.netns(), name});
    if (is_available) out.metrics.emit(metric, as_sample(**value), {kernel_.netns()});
  }

  void emit_extra(std::string_view name, const FieldsFile& netstat, const FieldsFile& snmp,
                  const MetricDescription& metric, CollectorOutput& out) const {
    auto value = netstat.find(name);
    if (value && !*value) value = snmp.find(name);
    emit(name, value, metric, out);
  }

  Kernel& kernel_;
  std::vector<std::string> extra_fields_;
  std::deque<RunTimeMetric> extra_metrics_;  ///< a deque: descriptions refer to its elements
};

/// What is wrong with an extra field, or nothing.
std::optional<std::string> find_problem(const std::string& field,
                                        const std::vector<std::string>& accepted) {
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (field.empty() || field.size() > 64 || !std::ranges::all_of(field, is_name)) {
    return "expected the name of a counter in /proc/net/netstat or snmp, such as TCPTimeouts";
  }
  if (std::ranges::find(kNotCounters, field) != kNotCounters.end()) return "is not a counter";
  const std::string snake_case = parse::to_snake_case(field);
  const auto same_metric = [&](std::string_view other) {
    return parse::to_snake_case(other) == snake_case;
  };
  if (std::ranges::any_of(kFields, same_metric, &Field::name)) return "is published already";
  if (std::ranges::any_of(accepted, same_metric)) return "is named twice";
  return std::nullopt;
}

CollectorFactory configure(config::OptionReader& options) {
  const std::vector<std::string> fields = options.list("extra_fields", {});
  std::vector<std::string> accepted;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (auto problem = find_problem(fields[i], accepted)) {
      options.reject_item("extra_fields", i, *std::move(problem));
    } else {
      accepted.push_back(fields[i]);
    }
  }
  return [accepted](const CollectorContext& context) {
    return std::make_unique<NetstatCollector>(context.kernel, accepted);
  };
}

}  // namespace

extern const CollectorEntry netstat_collector{
    .name = "netstat",
    .help = "TIME-WAIT, PAWS, listen queue and reset counters from /proc/net/netstat and snmp.",
    .privilege = "none",
    .enabled_by_default = true,
    .metrics = declared_metrics,
    .configure = configure,
};

}  // namespace timewait
