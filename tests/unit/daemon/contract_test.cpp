// The names that dashboards and alerts rely on, written down once more by hand: a change here is a
// change of the contract and has a [CHANGE] line in CHANGELOG.md.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "daemon/lists.h"

namespace timewait {
namespace {

using Labels = std::vector<std::string>;

const std::map<std::string, Labels>& contract() {
  static const std::map<std::string, Labels> kContract{
      {"timewait_sockets", {"netns", "family", "state"}},
      {"timewait_time_wait_sockets", {"netns", "role"}},
      {"timewait_time_wait_expiring_sockets", {"netns", "within_seconds"}},
      {"timewait_bind_buckets", {"netns"}},
      {"timewait_ephemeral_ports", {"netns"}},
      {"timewait_ephemeral_ports_reserved", {"netns"}},
      {"timewait_ephemeral_ports_unused", {"netns"}},
      {"timewait_ephemeral_ports_blocked", {"netns", "evidence"}},
      {"timewait_connect_ports_used", {"netns", "local_address", "remote_address", "remote_port"}},
      {"timewait_connect_ports_reusable",
       {"netns", "local_address", "remote_address", "remote_port"}},
      {"timewait_connect_ports_usage_ratio",
       {"netns", "local_address", "remote_address", "remote_port"}},
      {"timewait_connect_sockets",
       {"netns", "local_address", "remote_address", "remote_port", "state"}},
      {"timewait_connect_ports_usage_ratio_max", {"netns"}},
      {"timewait_connect_preferred_ports_usage_ratio_max", {"netns"}},
      {"timewait_connect_tuples", {"netns"}},
      {"timewait_connect_tuples_omitted", {"netns"}},
      {"timewait_connect_sockets_omitted", {"netns"}},
      {"timewait_bind_ports_used", {"netns", "local_address"}},
      {"timewait_bind_ports_usage_ratio", {"netns", "local_address"}},
      {"timewait_bind_ports_usage_ratio_max", {"netns"}},
      {"timewait_server_remote_ports_used",
       {"netns", "local_address", "local_port", "remote_address"}},
      {"timewait_server_remote_ports_usage_ratio",
       {"netns", "local_address", "local_port", "remote_address"}},
      {"timewait_server_remote_ports_usage_ratio_max", {"netns"}},
      {"timewait_server_sockets",
       {"netns", "local_address", "local_port", "remote_address", "state"}},
      {"timewait_connect_failures_available", {}},
      {"timewait_connect_failures_total", {}},
      {"timewait_connect_failures_by_destination_total",
       {"netns", "local_address", "remote_address", "remote_port", "process"}},
      {"timewait_connect_failures_lost_total", {}},
      {"timewait_netstat_field_available", {"netns", "field"}},
      {"timewait_sockstat_tcp_time_wait", {"netns"}},
      {"timewait_sockstat_tcp_in_use", {"netns"}},
      {"timewait_sockstat_tcp6_in_use", {"netns"}},
      {"timewait_sockstat_tcp_orphans", {}},
      {"timewait_sockstat_tcp_allocated", {}},
      {"timewait_sockstat_tcp_memory_bytes", {}},
      {"timewait_slab_objects", {"cache"}},
      {"timewait_slab_objects_active", {"cache"}},
      {"timewait_slab_object_size_bytes", {"cache"}},
      {"timewait_slab_size_bytes", {"cache"}},
      {"timewait_slab_merged", {"cache"}},
      {"timewait_sysctl_available", {"netns", "sysctl"}},
      {"timewait_advice", {"netns", "rule", "severity"}},
      {"timewait_exporter_build_info", {"version", "revision", "compiler"}},
      {"timewait_exporter_collector_success", {"collector"}},
      {"timewait_exporter_collector_duration_seconds", {"collector"}},
      {"timewait_exporter_collector_cpu_seconds_total", {"collector"}},
      {"timewait_exporter_collector_last_success_timestamp_seconds", {"collector"}},
      {"timewait_exporter_collector_errors_total", {"collector", "reason"}},
      {"timewait_exporter_collector_interval_seconds", {"collector"}},
      {"timewait_exporter_polls_total", {}},
      {"timewait_exporter_poll_overruns_total", {}},
      {"timewait_exporter_snapshot_timestamp_seconds", {}},
      {"timewait_exporter_config_last_reload_successful", {}},
      {"timewait_exporter_config_last_reload_success_timestamp_seconds", {}},
      {"process_cpu_seconds_total", {}},
      {"process_open_fds", {}},
      {"process_max_fds", {}},
      {"process_virtual_memory_bytes", {}},
      {"process_resident_memory_bytes", {}},
      {"process_start_time_seconds", {}},
  };
  return kContract;
}

constexpr const char* kNetstat[] = {"tw_total",
                                    "tw_recycled_total",
                                    "tw_killed_total",
                                    "paws_passive_total",
                                    "paws_active_total",
                                    "paws_estab_total",
                                    "paws_old_ack_total",
                                    "paws_timewait_total",
                                    "ts_ecr_rejected_total",
                                    "beyond_window_total",
                                    "tcp_time_wait_overflow_total",
                                    "tcp_ack_skipped_time_wait_total",
                                    "tcp_ack_skipped_fin_wait2_total",
                                    "tcp_ack_skipped_paws_total",
                                    "tcp_abort_on_data_total",
                                    "tcp_abort_on_close_total",
                                    "tcp_abort_on_linger_total",
                                    "tcp_abort_on_timeout_total",
                                    "tcp_abort_on_memory_total",
                                    "listen_overflows_total",
                                    "listen_drops_total",
                                    "embryonic_rsts_total",
                                    "tcp_req_q_full_drop_total",
                                    "tcp_req_q_full_do_cookies_total",
                                    "syncookies_sent_total",
                                    "syncookies_recv_total",
                                    "syncookies_failed_total",
                                    "active_opens_total",
                                    "passive_opens_total",
                                    "attempt_fails_total",
                                    "estab_resets_total",
                                    "out_rsts_total",
                                    "curr_estab"};

constexpr const char* kSysctl[] = {"net_ipv4_tcp_tw_reuse",
                                   "net_ipv4_tcp_tw_recycle",
                                   "net_ipv4_tcp_tw_reuse_delay",
                                   "net_ipv4_tcp_max_tw_buckets",
                                   "net_ipv4_tcp_fin_timeout",
                                   "net_ipv4_tcp_timestamps",
                                   "net_ipv4_tcp_rfc1337",
                                   "net_ipv4_ip_local_port_range_min",
                                   "net_ipv4_ip_local_port_range_max",
                                   "net_ipv4_ip_local_reserved_ports_ports",
                                   "net_ipv4_ip_local_port_step_width",
                                   "net_ipv4_ip_unprivileged_port_start",
                                   "net_ipv4_ip_autobind_reuse",
                                   "net_ipv4_tcp_ehash_entries",
                                   "net_ipv4_tcp_child_ehash_entries",
                                   "net_ipv4_tcp_l3mdev_accept",
                                   "net_ipv4_tcp_max_syn_backlog",
                                   "net_ipv4_tcp_syncookies",
                                   "net_ipv4_tcp_abort_on_overflow",
                                   "net_ipv4_tcp_orphan_retries",
                                   "net_ipv4_tcp_invalid_ratelimit",
                                   "net_core_somaxconn",
                                   "net_ipv4_tcp_max_orphans",
                                   "net_ipv4_tcp_mem_min",
                                   "net_ipv4_tcp_mem_pressure",
                                   "net_ipv4_tcp_mem_max",
                                   "net_netfilter_nf_conntrack_tcp_timeout_time_wait"};

/// Beyond the contract.
constexpr const char* kAdditional[] = {"timewait_socket_source",
                                       "timewait_fin_wait2_minisocks",
                                       "timewait_connect_sockets_error_bound",
                                       "timewait_bind_local_addresses",
                                       "timewait_bind_local_addresses_omitted",
                                       "timewait_server_tuples",
                                       "timewait_server_tuples_omitted",
                                       "timewait_server_sockets_omitted",
                                       "timewait_server_sockets_error_bound"};

std::map<std::string, Labels> declared() {
  std::map<std::string, Labels> all;
  for (const MetricDescription& metric : all_metrics()) {
    const bool is_new =
        all.emplace(metric.name(), Labels(metric.labels().begin(), metric.labels().end())).second;
    EXPECT_TRUE(is_new) << metric.name() << " is declared twice";
  }
  return all;
}

std::map<std::string, Labels> expected() {
  std::map<std::string, Labels> all = contract();
  for (const char* name : kNetstat) all[std::string("timewait_netstat_") + name] = {"netns"};
  for (const char* name : kSysctl) all[std::string("timewait_sysctl_") + name] = {"netns"};
  return all;
}

TEST(Contract, EveryMetricIsDeclaredWithItsLabels) {
  const auto all = declared();
  for (const auto& [name, labels] : expected()) {
    const auto found = all.find(name);
    if (found == all.end()) {
      ADD_FAILURE() << name << " is in the contract, but no collector declares it";
    } else {
      EXPECT_EQ(found->second, labels) << name;
    }
  }
}

TEST(Contract, NothingElseIsDeclared) {
  const auto names = expected();
  const std::set<std::string> additional(std::begin(kAdditional), std::end(kAdditional));
  for (const auto& [name, labels] : declared()) {
    EXPECT_TRUE(names.contains(name) || additional.contains(name))
        << name << " is neither in the contract nor among the additional metrics";
  }
}

TEST(Contract, DescriptionsMadeAtRunTimeKeepTheRulesOfTheOthers) {
  for (const MetricDescription& metric : all_metrics()) {
    EXPECT_EQ(metric.problem(), nullptr) << metric.name() << ": " << metric.problem();
  }
}

std::set<std::string> table_rows(std::istream&& text) {
  std::set<std::string> rows;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("| timewait_") || line.starts_with("| process_")) rows.insert(line);
  }
  return rows;
}

TEST(Contract, TheDocumentationShowsWhatIsDeclared) {
  const std::string path = TIMEWAIT_SOURCE_DIR "/docs/metrics.md";
  const auto documented = table_rows(std::ifstream(path));
  const auto listed = table_rows(std::istringstream(render_metric_list()));
  for (const std::string& row : listed) {
    EXPECT_TRUE(documented.contains(row)) << path << " lacks the row\n" << row;
  }
  for (const std::string& row : documented) {
    EXPECT_TRUE(listed.contains(row)) << path << " has a row that --list-metrics lacks\n" << row;
  }
}

}  // namespace
}  // namespace timewait
