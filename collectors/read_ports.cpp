#include "collectors/read_ports.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace timewait {

namespace {

/// Nothing for a sysctl that the kernel does not have.
Result<std::optional<std::int64_t>> read_number(Kernel& kernel, std::string_view path) {
  const auto text = kernel.read_proc(path);
  if (!text && text.error().reason == ErrorReason::kUnavailable) return std::nullopt;
  if (!text) return tl::make_unexpected(text.error());
  return parse::parse_sysctl_numbers(*text)
      .map_error(from_source(kernel.proc_path(path)))
      .map([](const std::vector<std::int64_t>& numbers) {
        return std::optional<std::int64_t>(numbers.front());
      });
}

TimeWaitReuse::Scope compute_scope(std::int64_t tcp_tw_reuse, std::int64_t tcp_timestamps) {
  using Scope = TimeWaitReuse::Scope;
  if (tcp_timestamps == 0) return Scope::kNone;
  if (tcp_tw_reuse == 2) return Scope::kLoopbackOnly;
  return tcp_tw_reuse == 0 ? Scope::kNone : Scope::kEverywhere;
}

}  // namespace

std::optional<parse::KernelRelease> read_kernel_release(Kernel& kernel) {
  const auto release =
      kernel.read_proc("sys/kernel/osrelease").and_then([](const std::string& text) {
        return parse::parse_kernel_release(text);
      });
  return release ? std::optional(*release) : std::nullopt;
}

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

Result<std::optional<TimeWaitReuse>> read_time_wait_reuse(Kernel& kernel, TimeWaitReuse::Time now) {
  const auto reuse = read_number(kernel, "sys/net/ipv4/tcp_tw_reuse");
  if (!reuse) return tl::make_unexpected(reuse.error());
  const auto timestamps = read_number(kernel, "sys/net/ipv4/tcp_timestamps");
  if (!timestamps) return tl::make_unexpected(timestamps.error());
  const auto delay = read_number(kernel, "sys/net/ipv4/tcp_tw_reuse_delay");
  if (!delay) return tl::make_unexpected(delay.error());
  if (!*reuse || !*timestamps) return std::nullopt;

  TimeWaitReuse::Age age;
  if (*delay) age = {.in_whole_seconds = false, .delay = std::chrono::milliseconds(**delay)};
  return TimeWaitReuse(compute_scope(**reuse, **timestamps), age, now);
}

}  // namespace timewait
