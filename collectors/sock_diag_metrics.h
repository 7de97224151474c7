#pragma once

#include <array>

#include "collectors/metric.h"

/// Every family that the collector sock_diag emits.
namespace timewait::sock_diag {

inline constexpr MetricDescription kSockets{
    "timewait_sockets",
    MetricType::kGauge,
    "TCP sockets by state, IPv4-mapped IPv6 counted as IPv4.",
    {"netns", "family", "state"}};
inline constexpr MetricDescription kFinWait2Minisocks{
    "timewait_fin_wait2_minisocks",
    MetricType::kGauge,
    "FIN-WAIT-2 sockets that are minisocks, which tw in /proc/net/sockstat counts as well.",
    {"netns"}};
inline constexpr MetricDescription kTimeWaitSockets{
    "timewait_time_wait_sockets",
    MetricType::kGauge,
    "TIME-WAIT sockets by role: server if a listener covers the local address and port now or did "
    "at a poll within the last 60 seconds, else client.",
    {"netns", "role"}};
inline constexpr MetricDescription kTimeWaitExpiring{
    "timewait_time_wait_expiring_sockets",
    MetricType::kGauge,
    "TIME-WAIT sockets whose remaining time is at most so many seconds, cumulative.",
    {"netns", "within_seconds"}};
inline constexpr MetricDescription kBindBuckets{
    "timewait_bind_buckets",
    MetricType::kGauge,
    "Distinct local TCP ports held by any socket, which is the number of bind buckets.",
    {"netns"}};
inline constexpr MetricDescription kEphemeralPorts{
    "timewait_ephemeral_ports",
    MetricType::kGauge,
    "Capacity: ports in net.ipv4.ip_local_port_range that are not in "
    "net.ipv4.ip_local_reserved_ports.",
    {"netns"}};
inline constexpr MetricDescription kEphemeralPortsReserved{
    "timewait_ephemeral_ports_reserved",
    MetricType::kGauge,
    "Ports of net.ipv4.ip_local_port_range that net.ipv4.ip_local_reserved_ports takes out.",
    {"netns"}};
inline constexpr MetricDescription kEphemeralPortsUnused{
    "timewait_ephemeral_ports_unused",
    MetricType::kGauge,
    "Capacity ports that no socket holds: free for every destination.",
    {"netns"}};
inline constexpr MetricDescription kEphemeralPortsBlocked{
    "timewait_ephemeral_ports_blocked",
    MetricType::kGauge,
    "Capacity ports that no new connect() may use, whatever its destination; observed: a "
    "listening, a bound idle or an explicitly bound socket holds them; inferred: the port's parity "
    "or an earlier poll says so.",
    {"netns", "evidence"}};
inline constexpr MetricDescription kSocketSource{
    "timewait_socket_source",
    MetricType::kGauge,
    "1 for the kernel interface that the sockets were read from, else 0; proc_net_tcp is the slow "
    "one for where netlink is refused.",
    {"netns", "source"}};

inline constexpr MetricDescription kConnectPortsUsed{
    "timewait_connect_ports_used",
    MetricType::kGauge,
    "Capacity ports that a new connect() from local_address to this destination cannot use: "
    "blocked ones and those of this tuple, less the reusable ones.",
    {"netns", "local_address", "remote_address", "remote_port"}};
inline constexpr MetricDescription kConnectPortsReusable{
    "timewait_connect_ports_reusable",
    MetricType::kGauge,
    "Ports of this tuple held by a TIME-WAIT socket that connect() may take over now, if the "
    "connection had negotiated timestamps, which no dump tells.",
    {"netns", "local_address", "remote_address", "remote_port"}};
inline constexpr MetricDescription kConnectPortsUsageRatio{
    "timewait_connect_ports_usage_ratio",
    MetricType::kGauge,
    "timewait_connect_ports_used over timewait_ephemeral_ports, 0 to 1; at 1 connect() fails with "
    "EADDRNOTAVAIL.",
    {"netns", "local_address", "remote_address", "remote_port"}};
inline constexpr MetricDescription kConnectSockets{
    "timewait_connect_sockets",
    MetricType::kGauge,
    "Sockets of the tuple by state.",
    {"netns", "local_address", "remote_address", "remote_port", "state"}};
inline constexpr MetricDescription kConnectUsageRatioMax{
    "timewait_connect_ports_usage_ratio_max",
    MetricType::kGauge,
    "The highest timewait_connect_ports_usage_ratio over all tuples, shown or not; 0 if there is "
    "none.",
    {"netns"}};
inline constexpr MetricDescription kConnectPreferredRatioMax{
    "timewait_connect_preferred_ports_usage_ratio_max",
    MetricType::kGauge,
    "The highest usage ratio over all tuples of the half of the ports that connect() searches "
    "first; at 1 its search becomes slow.",
    {"netns"}};
inline constexpr MetricDescription kConnectTuples{
    "timewait_connect_tuples",
    MetricType::kGauge,
    "Tuples of local address, remote address and remote port on the connect side; an estimate "
    "where there are more than max_tuples.",
    {"netns"}};
inline constexpr MetricDescription kConnectTuplesOmitted{
    "timewait_connect_tuples_omitted",
    MetricType::kGauge,
    "Tuples of timewait_connect_tuples that have no series of their own.",
    {"netns"}};
inline constexpr MetricDescription kConnectSocketsOmitted{
    "timewait_connect_sockets_omitted",
    MetricType::kGauge,
    "Sockets of the connect side in tuples that have no series of their own.",
    {"netns"}};
inline constexpr MetricDescription kConnectSocketsErrorBound{
    "timewait_connect_sockets_error_bound",
    MetricType::kGauge,
    "The most sockets that a figure of a connect tuple may lack; 0 while there are no more than "
    "max_tuples tuples.",
    {"netns"}};
inline constexpr MetricDescription kBindPortsUsed{
    "timewait_bind_ports_used",
    MetricType::kGauge,
    "Capacity ports that bind(local_address, port 0) cannot take.",
    {"netns", "local_address"}};
inline constexpr MetricDescription kBindPortsUsageRatio{
    "timewait_bind_ports_usage_ratio",
    MetricType::kGauge,
    "timewait_bind_ports_used over timewait_ephemeral_ports, 0 to 1; at 1 bind(local_address, port "
    "0) fails with EADDRINUSE.",
    {"netns", "local_address"}};
inline constexpr MetricDescription kBindUsageRatioMax{
    "timewait_bind_ports_usage_ratio_max",
    MetricType::kGauge,
    "The highest timewait_bind_ports_usage_ratio over all local addresses, shown or not; 0 if "
    "there is none.",
    {"netns"}};
inline constexpr MetricDescription kBindAddresses{
    "timewait_bind_local_addresses",
    MetricType::kGauge,
    "Local addresses that sockets have, the wildcards included; an estimate where there are more "
    "than 256.",
    {"netns"}};
inline constexpr MetricDescription kBindAddressesOmitted{
    "timewait_bind_local_addresses_omitted",
    MetricType::kGauge,
    "Local addresses of timewait_bind_local_addresses that have no series of their own.",
    {"netns"}};
inline constexpr MetricDescription kServerPortsUsed{
    "timewait_server_remote_ports_used",
    MetricType::kGauge,
    "Quadruplets in use between one listening port and one remote address, which is as many ports "
    "of the remote host.",
    {"netns", "local_address", "local_port", "remote_address"}};
inline constexpr MetricDescription kServerPortsUsageRatio{
    "timewait_server_remote_ports_usage_ratio",
    MetricType::kGauge,
    "timewait_server_remote_ports_used over server_assumed_remote_ports of the configuration, the "
    "size of range that the remote host is taken to have.",
    {"netns", "local_address", "local_port", "remote_address"}};
inline constexpr MetricDescription kServerUsageRatioMax{
    "timewait_server_remote_ports_usage_ratio_max",
    MetricType::kGauge,
    "The highest timewait_server_remote_ports_usage_ratio, shown or not; 0 if there is none.",
    {"netns"}};
inline constexpr MetricDescription kServerSockets{
    "timewait_server_sockets",
    MetricType::kGauge,
    "Sockets between one listening port and one remote address by state.",
    {"netns", "local_address", "local_port", "remote_address", "state"}};
inline constexpr MetricDescription kServerTuples{
    "timewait_server_tuples",
    MetricType::kGauge,
    "Tuples of local address, local port and remote address on the server side; an estimate where "
    "there are more than max_tuples.",
    {"netns"}};
inline constexpr MetricDescription kServerTuplesOmitted{
    "timewait_server_tuples_omitted",
    MetricType::kGauge,
    "Tuples of timewait_server_tuples that have no series of their own.",
    {"netns"}};
inline constexpr MetricDescription kServerSocketsOmitted{
    "timewait_server_sockets_omitted",
    MetricType::kGauge,
    "Sockets of the server side in tuples that have no series of their own.",
    {"netns"}};
inline constexpr MetricDescription kServerSocketsErrorBound{
    "timewait_server_sockets_error_bound",
    MetricType::kGauge,
    "The most sockets that a figure of a server tuple may lack; 0 while there are no more than "
    "max_tuples tuples.",
    {"netns"}};

/// All of them, in the order of the documentation.
inline constexpr std::array kMetrics{kSockets,
                                     kFinWait2Minisocks,
                                     kTimeWaitSockets,
                                     kTimeWaitExpiring,
                                     kBindBuckets,
                                     kEphemeralPorts,
                                     kEphemeralPortsReserved,
                                     kEphemeralPortsUnused,
                                     kEphemeralPortsBlocked,
                                     kSocketSource,
                                     kConnectPortsUsed,
                                     kConnectPortsReusable,
                                     kConnectPortsUsageRatio,
                                     kConnectSockets,
                                     kConnectUsageRatioMax,
                                     kConnectPreferredRatioMax,
                                     kConnectTuples,
                                     kConnectTuplesOmitted,
                                     kConnectSocketsOmitted,
                                     kConnectSocketsErrorBound,
                                     kBindPortsUsed,
                                     kBindPortsUsageRatio,
                                     kBindUsageRatioMax,
                                     kBindAddresses,
                                     kBindAddressesOmitted,
                                     kServerPortsUsed,
                                     kServerPortsUsageRatio,
                                     kServerUsageRatioMax,
                                     kServerSockets,
                                     kServerTuples,
                                     kServerTuplesOmitted,
                                     kServerSocketsOmitted,
                                     kServerSocketsErrorBound};

}  // namespace timewait::sock_diag
