#include "collectors/read_ports.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace timewait {

namespace {

Result<std::int64_t> parse_one_number(std::string_view text) {
  const auto numbers = parse::parse_sysctl_numbers(text);
  if (!numbers) return tl::make_unexpected(numbers.error());
  if (numbers->size() != 1) {
    return malformed("expected 1 number, found " + std::to_string(numbers->size()));
  }
  return numbers->front();
}

/// Nothing for a sysctl that the kernel does not have.
Result<std::optional<std::int64_t>> read_optional(Kernel& kernel, std::string_view name) {
  const auto number = read_ipv4_sysctl(kernel, name);
  if (number) return *number;
  if (number.error().reason == ErrorReason::kUnavailable) return std::nullopt;
  return tl::make_unexpected(number.error());
}

TimeWaitReuse::Scope compute_scope(std::int64_t tcp_tw_reuse, std::int64_t tcp_timestamps) {
  using Scope = TimeWaitReuse::Scope;
  if (tcp_timestamps == 0) return Scope::kNone;
  if (tcp_tw_reuse == 2) return Scope::kLoopbackOnly;
  return tcp_tw_reuse == 0 ? Scope::kNone : Scope::kEverywhere;
}

}  // namespace

Result<parse::KernelRelease> read_kernel_release(Kernel& kernel) {
  constexpr std::string_view kRelease = "sys/kernel/osrelease";
  return kernel.read_proc(kRelease).and_then([&](const std::string& text) {
    return parse::parse_kernel_release(text).map_error(from_source(kernel.proc_path(kRelease)));
  });
}

Result<std::int64_t> read_ipv4_sysctl(Kernel& kernel, std::string_view name) {
  const std::string path = "sys/net/ipv4/" + std::string(name);
  return kernel.read_proc(path).and_then([&](const std::string& text) {
    return parse_one_number(text).map_error(from_source(kernel.proc_path(path)));
  });
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
  const auto reuse = read_optional(kernel, "tcp_tw_reuse");
  if (!reuse) return tl::make_unexpected(reuse.error());
  const auto timestamps = read_optional(kernel, "tcp_timestamps");
  if (!timestamps) return tl::make_unexpected(timestamps.error());
  const auto delay = read_optional(kernel, "tcp_tw_reuse_delay");
  if (!delay) return tl::make_unexpected(delay.error());
  if (!*reuse || !*timestamps) return std::nullopt;

  TimeWaitReuse::Age age;
  if (*delay) age = {.in_whole_seconds = false, .delay = std::chrono::milliseconds(**delay)};
  return TimeWaitReuse(compute_scope(**reuse, **timestamps), age, now);
}

}  // namespace timewait
