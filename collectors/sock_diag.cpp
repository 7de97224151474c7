#include <array>
#include <optional>
#include <string>

#include "collectors/collector.h"
#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/listeners.h"
#include "collectors/model/socket_table.h"
#include "collectors/parse/sysctl.h"
#include "collectors/read_sockets.h"
#include "config/option_reader.h"

namespace timewait {

namespace {

constexpr MetricDescription kSockets{"timewait_sockets",
                                     MetricType::kGauge,
                                     "TCP sockets by state, IPv4-mapped IPv6 counted as IPv4.",
                                     {"netns", "family", "state"}};
constexpr MetricDescription kFinWait2Minisocks{
    "timewait_fin_wait2_minisocks",
    MetricType::kGauge,
    "FIN-WAIT-2 sockets that are minisocks, which tw in /proc/net/sockstat counts as well.",
    {"netns"}};
constexpr MetricDescription kTimeWaitSockets{
    "timewait_time_wait_sockets",
    MetricType::kGauge,
    "TIME-WAIT sockets by role: server if a listener covers the local address and port now or did "
    "at a poll "
    "within the last 60 seconds, else client.",
    {"netns", "role"}};
constexpr MetricDescription kTimeWaitExpiring{
    "timewait_time_wait_expiring_sockets",
    MetricType::kGauge,
    "TIME-WAIT sockets whose remaining time is at most so many seconds, cumulative.",
    {"netns", "within_seconds"}};
constexpr MetricDescription kBindBuckets{
    "timewait_bind_buckets",
    MetricType::kGauge,
    "Distinct local TCP ports held by any socket, which is the number of bind buckets.",
    {"netns"}};
constexpr MetricDescription kEphemeralPorts{
    "timewait_ephemeral_ports",
    MetricType::kGauge,
    "Capacity: ports in net.ipv4.ip_local_port_range that are not in "
    "net.ipv4.ip_local_reserved_ports.",
    {"netns"}};
constexpr MetricDescription kEphemeralPortsReserved{
    "timewait_ephemeral_ports_reserved",
    MetricType::kGauge,
    "Ports of net.ipv4.ip_local_port_range that net.ipv4.ip_local_reserved_ports takes out.",
    {"netns"}};
constexpr MetricDescription kEphemeralPortsUnused{
    "timewait_ephemeral_ports_unused",
    MetricType::kGauge,
    "Capacity ports that no socket holds: free for every destination.",
    {"netns"}};
constexpr MetricDescription kEphemeralPortsBlocked{
    "timewait_ephemeral_ports_blocked",
    MetricType::kGauge,
    "Capacity ports that no new connect() may use, whatever its destination; observed: a listening "
    "or "
    "a bound idle socket holds them.",
    {"netns", "evidence"}};
constexpr MetricDescription kSocketSource{"timewait_socket_source",
                                          MetricType::kGauge,
                                          "1 for the kernel interface that the sockets were read "
                                          "from, else 0; proc_net_tcp is the slow one "
                                          "for where netlink is refused.",
                                          {"netns", "source"}};

constexpr std::array kMetrics{kSockets,
                              kFinWait2Minisocks,
                              kTimeWaitSockets,
                              kTimeWaitExpiring,
                              kBindBuckets,
                              kEphemeralPorts,
                              kEphemeralPortsReserved,
                              kEphemeralPortsUnused,
                              kEphemeralPortsBlocked,
                              kSocketSource};

/// The port range and the reserved ports, as connect() would see them at this moment.
Result<EphemeralPorts> read_ephemeral_ports(Kernel& kernel) {
  constexpr std::string_view kRange = "sys/net/ipv4/ip_local_port_range";
  constexpr std::string_view kReserved = "sys/net/ipv4/ip_local_reserved_ports";
  const auto range = kernel.read_proc(kRange).and_then([&](const std::string& text) {
    return parse::parse_port_range(text).map_error(from_source(kernel.proc_path(kRange)));
  });
  if (!range) return tl::make_unexpected(range.error());
  return kernel.read_proc(kReserved)
      .and_then([&](const std::string& text) {
        return parse::parse_port_list(text).map_error(from_source(kernel.proc_path(kReserved)));
      })
      .map([&](const PortSet& reserved) { return compute_ephemeral_ports(*range, reserved); });
}

/// True where the kernel dumps bound idle sockets: TCP_BOUND_INACTIVE came with Linux 6.8. One
/// whose release cannot be read counts as older.
bool reports_bound_inactive(Kernel& kernel) {
  constexpr parse::KernelRelease kFirst{6, 8};
  const auto release =
      kernel.read_proc("sys/kernel/osrelease").and_then([](const std::string& text) {
        return parse::parse_kernel_release(text);
      });
  return release && *release >= kFirst;
}

bool is_refusal(const Error& error) {
  return error.reason == ErrorReason::kUnavailable || error.reason == ErrorReason::kPermission;
}

class SockDiagCollector final : public Collector {
 public:
  explicit SockDiagCollector(Kernel& kernel)
      : kernel_(kernel), with_bound_inactive_(reports_bound_inactive(kernel)) {}

  Result<void> collect(SteadyTime now, CollectorOutput& out) override {
    listeners_.forget_old(now);
    const auto table = read_table(now, out);
    if (!table) return tl::make_unexpected(table.error());

    emit_source(out.metrics);
    emit_sockets(table->states(), out.metrics);
    emit_time_wait(table->time_wait(), out.metrics);
    const double bind_buckets = as_sample(table->ports().in_use().size());
    out.metrics.emit(kBindBuckets, bind_buckets, {kernel_.netns()});

    const auto ephemeral = read_ephemeral_ports(kernel_);
    if (ephemeral) {
      emit_ephemeral_ports(*ephemeral, table->ports(), out.metrics);
    } else {
      out.report(ephemeral.error());
    }
    return {};
  }

 private:
  // Netlink may come back (a module gets loaded), but asking is not free where it stays away: the
  // kernel looks for the module each time.
  static constexpr std::chrono::seconds kNetlinkRetry{60};

  /// The best source that answers. Refusal leads to the next one; any other failure is the poll's.
  Result<SocketTable> read_table(SteadyTime now, CollectorOutput& out) {
    if (refusal_ && now < netlink_retry_at_) return read_proc_table(now, out);
    for (const SocketSource source : {SocketSource::kBothFamilies, SocketSource::kByFamily}) {
      auto table = read_table_from(source, now);
      if (table || !is_refusal(table.error())) {
        refusal_.reset();
        return table;
      }
      refusal_ = table.error();
    }
    netlink_retry_at_ = now + kNetlinkRetry;
    return read_proc_table(now, out);
  }

  Result<SocketTable> read_proc_table(SteadyTime now, CollectorOutput& out) {
    auto table = read_table_from(SocketSource::kProcNetTcp, now);
    if (!table) {
      // What is wrong is netlink; that the way out is shut too is the lesser news.
      out.report(*refusal_);
      return table;
    }
    out.notice(
        {refusal_->reason, refusal_->source,
         refusal_->detail +
             "; reading /proc/net/tcp instead, which is slower and lacks bound idle sockets"});
    return table;
  }

  Result<SocketTable> read_table_from(SocketSource source, SteadyTime now) {
    auto table = try_table(source, now);
    // An interrupted dump is inconsistent; the next try nearly always succeeds.
    if (!table && table.error().reason == ErrorReason::kInterrupted) table = try_table(source, now);
    if (table) source_ = source;
    return table;
  }

  Result<SocketTable> try_table(SocketSource source, SteadyTime now) {
    SocketTable table(listeners_);
    return read_sockets(kernel_, source, with_bound_inactive_,
                        [&](const Socket& socket) {
                          if (socket.state == TcpState::kListen) listeners_.see(socket, now);
                          table.add(socket);
                        })
        .map([&] { return std::move(table); });
  }

  void emit_source(MetricBuilder& metrics) const {
    for (const SocketSource source : kSocketSources) {
      metrics.emit(kSocketSource, source == source_ ? 1 : 0, {kernel_.netns(), to_string(source)});
    }
  }

  void emit_sockets(const StateCounts& states, MetricBuilder& metrics) const {
    const bool tells_bound_inactive = with_bound_inactive_ && source_ != SocketSource::kProcNetTcp;
    for (const Family family : kFamilies) {
      for (const auto& [state, name] : kTcpStates) {
        if (state == TcpState::kBoundInactive && !tells_bound_inactive) continue;
        metrics.emit(kSockets, as_sample(states.of(family, state)),
                     {kernel_.netns(), to_string(family), name});
      }
    }
    metrics.emit(kFinWait2Minisocks, as_sample(states.fin_wait2_minisocks()), {kernel_.netns()});
  }

  void emit_time_wait(const TimeWaitCounts& counts, MetricBuilder& metrics) const {
    metrics.emit(kTimeWaitSockets, as_sample(counts.client()), {kernel_.netns(), "client"});
    metrics.emit(kTimeWaitSockets, as_sample(counts.server()), {kernel_.netns(), "server"});
    const auto expiring = counts.expiring();
    for (std::size_t i = 0; expiring && i < expiring->size(); ++i) {
      metrics.emit(kTimeWaitExpiring, as_sample((*expiring)[i]),
                   {kernel_.netns(), std::to_string(TimeWaitCounts::kWithin[i].count())});
    }
  }

  void emit_ephemeral_ports(const EphemeralPorts& ephemeral, const LocalPorts& ports,
                            MetricBuilder& metrics) const {
    const std::string_view netns = kernel_.netns();
    const PortSet unused = ephemeral.capacity - ports.in_use();
    const PortSet blocked = ephemeral.capacity & ports.blocked();
    metrics.emit(kEphemeralPorts, as_sample(ephemeral.capacity.size()), {netns});
    metrics.emit(kEphemeralPortsReserved, as_sample(ephemeral.reserved), {netns});
    metrics.emit(kEphemeralPortsUnused, as_sample(unused.size()), {netns});
    metrics.emit(kEphemeralPortsBlocked, as_sample(blocked.size()), {netns, "observed"});
  }

  Kernel& kernel_;
  bool with_bound_inactive_;
  Listeners listeners_;
  SocketSource source_ = SocketSource::kBothFamilies;
  std::optional<Error> refusal_;  ///< why netlink is not the source
  SteadyTime netlink_retry_at_;
};

CollectorFactory configure(config::OptionReader& /*options*/) {
  return [](Kernel& kernel) { return std::make_unique<SockDiagCollector>(kernel); };
}

}  // namespace

extern const CollectorEntry sock_diag_collector{
    .name = "sock_diag",
    .help =
        "TCP sockets by state, TIME-WAIT by role and remaining time, and the ephemeral ports, in "
        "one pass over the kernel's table.",
    .privilege = "none",
    .enabled_by_default = true,
    .default_cpu_budget_ratio = 0.02,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
