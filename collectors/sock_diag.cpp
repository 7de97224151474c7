#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/findings.h"
#include "collectors/model/socket_table.h"
#include "collectors/read_ports.h"
#include "collectors/sock_diag_metrics.h"
#include "collectors/socket_reader.h"
#include "config/option_reader.h"

namespace timewait {

using namespace sock_diag;  // NOLINT(google-build-using-namespace): its own families

namespace {

struct Options {
  std::size_t top = 20;
  std::size_t max_tuples = 65'536;
  std::uint64_t server_assumed_remote_ports = kDefaultEphemeralPorts;
};

class SockDiagCollector final : public Collector {
 public:
  SockDiagCollector(const CollectorContext& context, const Options& options)
      : kernel_(context.kernel),
        findings_(context.findings),
        options_(options),
        reader_(kernel_),
        table_(options.max_tuples) {}

  Result<void> collect(SteadyTime now, CollectorOutput& out) override {
    findings_.sockets.reset();
    const auto conditions = read_conditions(now, out);
    auto read = reader_.read(now, conditions, table_, out);
    if (!read) return read;
    const PortReport report = table_.end_pass(options_.top);

    emit_source(out.metrics);
    emit_sockets(out.metrics);
    emit_time_wait(out.metrics);
    if (release_) {
      const double bind_buckets = as_sample(table_.ports().in_use().size());
      out.metrics.emit(kBindBuckets, bind_buckets, {kernel_.netns()});
    }
    if (conditions) {
      emit_ephemeral_ports(conditions->ports, report.connect->blocked, out.metrics);
      emit_connect(*report.connect, conditions->ports, out.metrics);
      emit_bind(*report.bind, conditions->ports, out.metrics);
    }
    emit_server(report.server, out.metrics);
    tell_findings(now, conditions, report);
    return {};
  }

 private:
  // connect() and bind(addr, 0) look at one half each of the ports first since "tcp/dccp: better
  // use of ephemeral ports", Linux 4.6.
  static constexpr parse::KernelRelease kFirstWithHalves{4, 6};

  /// Nothing where the range of ports cannot be read, or a sysctl that opens TIME-WAIT sockets to
  /// connect(), or the kernel's release: which ports connect() tries first depends on it, and
  /// whether the kernel shows bound idle sockets.
  SocketReader::Conditions read_conditions(SteadyTime now, CollectorOutput& out) {
    const auto ports = read_ephemeral_ports(kernel_);
    if (!ports) {
      out.report(ports.error());
      return std::nullopt;
    }
    if (!release_) {
      const auto release = read_kernel_release(kernel_);
      if (!release) {
        out.report(release.error());
        return std::nullopt;
      }
      release_ = *release;
    }
    const auto reuse = read_time_wait_reuse(kernel_, now);
    if (!reuse) {
      out.report(reuse.error());
      return std::nullopt;
    }
    tells_reuse_ = reuse->has_value();
    return ConnectPorts::Conditions{.ports = *ports,
                                    .reuse = tells_reuse_ ? **reuse : TimeWaitReuse{},
                                    .has_preferred_half = *release_ >= kFirstWithHalves};
  }

  void emit_source(MetricBuilder& metrics) const {
    for (const SocketSource source : kSocketSources) {
      metrics.emit(kSocketSource, source == reader_.source() ? 1 : 0,
                   {kernel_.netns(), to_string(source)});
    }
  }

  void emit_sockets(MetricBuilder& metrics) const {
    const StateCounts& states = table_.states();
    for (const Family family : kFamilies) {
      for (const auto& [state, name] : kTcpStates) {
        if (state == TcpState::kBoundInactive && !reader_.tells_bound_inactive()) continue;
        metrics.emit(kSockets, as_sample(states.of(family, state)),
                     {kernel_.netns(), to_string(family), name});
      }
    }
    metrics.emit(kFinWait2Minisocks, as_sample(states.fin_wait2_minisocks()), {kernel_.netns()});
  }

  void emit_time_wait(MetricBuilder& metrics) const {
    const TimeWaitCounts& counts = table_.time_wait();
    metrics.emit(kTimeWaitSockets, as_sample(counts.client()), {kernel_.netns(), "client"});
    metrics.emit(kTimeWaitSockets, as_sample(counts.server()), {kernel_.netns(), "server"});
    const auto expiring = counts.expiring();
    for (std::size_t i = 0; expiring && i < expiring->size(); ++i) {
      metrics.emit(kTimeWaitExpiring, as_sample((*expiring)[i]),
                   {kernel_.netns(), std::to_string(TimeWaitCounts::kWithin[i].count())});
    }
  }

  void emit_ephemeral_ports(const EphemeralPorts& ports, const BlockedPorts& blocked,
                            MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    const PortSet unused = ports.capacity - table_.ports().in_use();
    metrics.emit(kEphemeralPorts, as_sample(ports.capacity.size()), {netns});
    metrics.emit(kEphemeralPortsReserved, as_sample(ports.reserved), {netns});
    metrics.emit(kEphemeralPortsUnused, as_sample(unused.size()), {netns});
    metrics.emit(kEphemeralPortsBlocked, as_sample(blocked.observed.size()), {netns, "observed"});
    metrics.emit(kEphemeralPortsBlocked, as_sample(blocked.inferred.size()), {netns, "inferred"});
  }

  void emit_connect(const ConnectReport& report, const EphemeralPorts& ports,
                    MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    std::uint64_t shown = 0;
    for (const ConnectUsage& usage : report.top) {
      emit_connect_tuple(usage, ports.capacity.size(), metrics);
      shown += usage.states.sum();
    }
    metrics.emit(kConnectUsageRatioMax, report.usage_ratio_max, {netns});
    if (report.preferred_usage_ratio_max) {
      metrics.emit(kConnectPreferredRatioMax, *report.preferred_usage_ratio_max, {netns});
    }
    metrics.emit(kConnectTuples, as_sample(report.tuples), {netns});
    metrics.emit(kConnectTuplesOmitted, as_sample(report.tuples - report.top.size()), {netns});
    metrics.emit(kConnectSocketsOmitted, as_sample(report.sockets - shown), {netns});
    metrics.emit(kConnectSocketsErrorBound, as_sample(report.error_bound), {netns});
  }

  void emit_connect_tuple(const ConnectUsage& usage, std::size_t capacity,
                          MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    const std::string local = to_string(usage.tuple.local);
    const std::string remote = to_string(usage.tuple.remote);
    const std::string port = std::to_string(usage.tuple.remote_port);
    metrics.emit(kConnectPortsUsed, as_sample(usage.used), {netns, local, remote, port});
    if (tells_reuse_) {
      metrics.emit(kConnectPortsReusable, as_sample(usage.reusable), {netns, local, remote, port});
    }
    metrics.emit(kConnectPortsUsageRatio, compute_usage_ratio(usage.used, capacity),
                 {netns, local, remote, port});
    for (std::size_t i = 0; i < TupleStates::kNames.size(); ++i) {
      metrics.emit(kConnectSockets, as_sample(usage.states.counts()[i]),
                   {netns, local, remote, port, TupleStates::kNames[i]});
    }
  }

  void emit_bind(const BindReport& report, const EphemeralPorts& ports,
                 MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    const std::size_t capacity = ports.capacity.size();
    for (const BindUsage& usage : report.top) {
      const std::string local = to_string(usage.local);
      metrics.emit(kBindPortsUsed, as_sample(usage.used), {netns, local});
      metrics.emit(kBindPortsUsageRatio, compute_usage_ratio(usage.used, capacity), {netns, local});
    }
    const bool any = report.addresses > 0;
    metrics.emit(kBindUsageRatioMax, any ? compute_usage_ratio(report.used_max, capacity) : 0,
                 {netns});
    metrics.emit(kBindAddresses, as_sample(report.addresses), {netns});
    metrics.emit(kBindAddressesOmitted, as_sample(report.addresses - report.top.size()), {netns});
  }

  void emit_server(const ServerReport& report, MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    std::uint64_t shown = 0;
    for (const ServerUsage& usage : report.top) {
      emit_server_tuple(usage, metrics);
      shown += usage.used;
    }
    metrics.emit(kServerUsageRatioMax, ratio_of_remote_range(report.used_max), {netns});
    metrics.emit(kServerTuples, as_sample(report.tuples), {netns});
    metrics.emit(kServerTuplesOmitted, as_sample(report.tuples - report.top.size()), {netns});
    metrics.emit(kServerSocketsOmitted, as_sample(report.sockets - shown), {netns});
    metrics.emit(kServerSocketsErrorBound, as_sample(report.error_bound), {netns});
  }

  void emit_server_tuple(const ServerUsage& usage, MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    const std::string local = to_string(usage.tuple.local);
    const std::string port = std::to_string(usage.tuple.local_port);
    const std::string remote = to_string(usage.tuple.remote);
    metrics.emit(kServerPortsUsed, as_sample(usage.used), {netns, local, port, remote});
    metrics.emit(kServerPortsUsageRatio, ratio_of_remote_range(usage.used),
                 {netns, local, port, remote});
    for (std::size_t i = 0; i < TupleStates::kNames.size(); ++i) {
      metrics.emit(kServerSockets, as_sample(usage.states.counts()[i]),
                   {netns, local, port, remote, TupleStates::kNames[i]});
    }
  }

  double ratio_of_remote_range(std::uint64_t used) const {
    return as_sample(used) / as_sample(options_.server_assumed_remote_ports);
  }

  void tell_findings(SteadyTime now, const SocketReader::Conditions& conditions,
                     const PortReport& report) {
    SocketFindings found{.at = now,
                         .time_wait_client = table_.time_wait().client(),
                         .time_wait_server = table_.time_wait().server(),
                         .ports = {}};
    for (const Family family : kFamilies) {
      found.close_wait += table_.states().of(family, TcpState::kCloseWait);
    }
    if (conditions) {
      const PortSet listening = table_.ports().listening() & conditions->ports.capacity;
      found.ports = PortFindings{.capacity = conditions->ports.capacity.size(),
                                 .blocked_observed = report.connect->blocked.observed.size(),
                                 .blocked_inferred = report.connect->blocked.inferred.size(),
                                 .with_listener = listening.size(),
                                 .lowest_with_listener = listening.lowest(),
                                 .connect_usage_ratio_max = report.connect->usage_ratio_max};
    }
    findings_.sockets = found;
  }

  Kernel& kernel_;
  Findings& findings_;
  Options options_;
  std::optional<parse::KernelRelease> release_;  ///< once it could be read; it does not change
  bool tells_reuse_ = false;
  SocketReader reader_;
  SocketTable table_;
};

CollectorFactory configure(config::OptionReader& reader) {
  Options options;
  const auto size = [&](std::string_view key, std::uint64_t fallback, std::int64_t least,
                        std::int64_t most) {
    return static_cast<std::uint64_t>(
        reader.integer(key, static_cast<std::int64_t>(fallback), least, most));
  };
  options.top = size("top", options.top, 0, 1000);
  options.max_tuples = size("max_tuples", options.max_tuples, 1, 1'048'576);
  options.server_assumed_remote_ports =
      size("server_assumed_remote_ports", options.server_assumed_remote_ports, 1, 65'535);
  return [options](const CollectorContext& context) {
    return std::make_unique<SockDiagCollector>(context, options);
  };
}

}  // namespace

extern const CollectorEntry sock_diag_collector{
    .name = "sock_diag",
    .help =
        "TCP sockets by state, TIME-WAIT by role and remaining time, and the ephemeral ports: how "
        "many are left for each destination and what holds the others.",
    .privilege = "none",
    .enabled_by_default = true,
    .default_cpu_budget_ratio = 0.02,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
