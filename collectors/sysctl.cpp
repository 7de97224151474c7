#include "collectors/parse/sysctl.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "config/option_reader.h"

namespace timewait {

namespace {

/// What a sysctl's file holds, and so which suffixes its metrics have.
enum class Shape : std::uint8_t { kNumber, kRange, kMemory, kPortList, kNumberOrRange };

std::span<const std::string_view> suffixes(Shape shape) {
  static constexpr std::array<std::string_view, 1> kNumber{""};
  static constexpr std::array<std::string_view, 2> kRange{"_min", "_max"};
  static constexpr std::array<std::string_view, 3> kMemory{"_min", "_pressure", "_max"};
  static constexpr std::array<std::string_view, 1> kPortList{"_ports"};
  static constexpr std::array<std::string_view, 3> kNumberOrRange{"", "_min", "_max"};
  switch (shape) {
    case Shape::kNumber:
      return kNumber;
    case Shape::kRange:
      return kRange;
    case Shape::kMemory:
      return kMemory;
    case Shape::kPortList:
      return kPortList;
    case Shape::kNumberOrRange:
      return kNumberOrRange;
  }
  return kNumber;
}

struct Sysctl {
  std::string_view name;
  Shape shape;
  std::string_view meaning;
};

/// Documentation/networking/ip-sysctl.rst; which of them a kernel has depends on its version.
constexpr std::array kSysctls{
    Sysctl{"net.ipv4.tcp_tw_reuse", Shape::kNumber,
           "whether connect() may take over a TIME-WAIT socket: 0 no, 1 yes, 2 on loopback only"},
    Sysctl{"net.ipv4.tcp_tw_recycle", Shape::kNumber,
           "fast recycling of TIME-WAIT, which breaks clients behind NAT; gone since Linux 4.12"},
    Sysctl{"net.ipv4.tcp_tw_reuse_delay", Shape::kNumber,
           "milliseconds after which a TIME-WAIT socket may be taken over"},
    Sysctl{"net.ipv4.tcp_max_tw_buckets", Shape::kNumber, "the most TIME-WAIT sockets"},
    Sysctl{"net.ipv4.tcp_fin_timeout", Shape::kNumber,
           "seconds in FIN-WAIT-2 without a process; does not shorten TIME-WAIT"},
    Sysctl{"net.ipv4.tcp_timestamps", Shape::kNumber,
           "TCP timestamps, without which no TIME-WAIT socket is taken over"},
    Sysctl{"net.ipv4.tcp_rfc1337", Shape::kNumber, "1 if a RST does not end TIME-WAIT"},
    Sysctl{"net.ipv4.ip_local_port_range", Shape::kRange, "the ephemeral ports"},
    Sysctl{"net.ipv4.ip_local_reserved_ports", Shape::kPortList,
           "number of ports that are kept from being chosen as ephemeral ports"},
    Sysctl{"net.ipv4.ip_local_port_step_width", Shape::kNumber,
           "the step in which connect() searches the ephemeral ports"},
    Sysctl{"net.ipv4.ip_unprivileged_port_start", Shape::kNumber,
           "the first port that needs no privilege"},
    Sysctl{"net.ipv4.ip_autobind_reuse", Shape::kNumber,
           "1 if bind() to port 0 may share ports under SO_REUSEADDR"},
    Sysctl{"net.ipv4.tcp_ehash_entries", Shape::kNumber,
           "buckets of the table of connections, negative where it is the host's"},
    Sysctl{"net.ipv4.tcp_child_ehash_entries", Shape::kNumber,
           "buckets that a new network namespace gets for itself, 0 for the host's table"},
    Sysctl{"net.ipv4.tcp_l3mdev_accept", Shape::kNumber,
           "1 if listeners accept across VRF domains"},
    Sysctl{"net.ipv4.tcp_max_syn_backlog", Shape::kNumber,
           "the most connections in SYN-RECV of one listener"},
    Sysctl{"net.ipv4.tcp_syncookies", Shape::kNumber, "SYN cookies: 0 never, 1 in need, 2 always"},
    Sysctl{"net.ipv4.tcp_abort_on_overflow", Shape::kNumber,
           "1 if a full accept queue is answered with a RST"},
    Sysctl{"net.ipv4.tcp_orphan_retries", Shape::kNumber,
           "retransmissions for a connection without a process, 0 for the default"},
    Sysctl{"net.ipv4.tcp_invalid_ratelimit", Shape::kNumber,
           "milliseconds between acknowledgements of invalid segments"},
    Sysctl{"net.core.somaxconn", Shape::kNumber, "the longest accept queue"},
    Sysctl{"net.ipv4.tcp_max_orphans", Shape::kNumber, "the most sockets without a process"},
    Sysctl{"net.ipv4.tcp_mem", Shape::kMemory, "memory of TCP socket buffers, in pages"},
    Sysctl{"net.netfilter.nf_conntrack_tcp_timeout_time_wait", Shape::kNumber,
           "seconds that connection tracking keeps a closed connection; no effect on TIME-WAIT"},
};

constexpr MetricDescription kAvailable{
    "timewait_sysctl_available",
    MetricType::kGauge,
    "1 if the sysctl can be read in this network namespace, else 0.",
    {"netns", "sysctl"}};

std::string metric_name(std::string_view sysctl, std::string_view suffix) {
  std::string name = "timewait_sysctl_" + std::string(sysctl);
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name.append(suffix);
}

std::string path_of(std::string_view sysctl) {
  std::string path = "sys/" + std::string(sysctl);
  std::ranges::replace(path, '.', '/');
  return path;
}

/// One sysctl to read, with its metrics in the order of their values.
struct Source {
  std::string name;
  Shape shape;
  std::deque<RunTimeMetric> metrics;  ///< a deque: descriptions refer to its elements
};

Source source_of(std::string name, Shape shape, std::string_view meaning) {
  Source source{std::move(name), shape, {}};
  for (const std::string_view suffix : suffixes(shape)) {
    source.metrics.emplace_back(metric_name(source.name, suffix), MetricType::kGauge,
                                "Sysctl " + source.name + ": " + std::string(meaning) + ".",
                                std::vector<std::string_view>{"netns"});
  }
  return source;
}

const std::vector<Source>& default_sources() {
  static const std::vector<Source> sources = [] {
    std::vector<Source> made;
    made.reserve(kSysctls.size());
    for (const Sysctl& sysctl : kSysctls) {
      made.push_back(source_of(std::string(sysctl.name), sysctl.shape, sysctl.meaning));
    }
    return made;
  }();
  return sources;
}

std::span<const MetricDescription> declared_metrics() {
  static const std::vector<MetricDescription> declared = [] {
    std::vector<MetricDescription> made{kAvailable};
    for (const Source& source : default_sources()) {
      for (const RunTimeMetric& metric : source.metrics) made.push_back(metric.description());
    }
    return made;
  }();
  return declared;
}

/// How many numbers a file of this shape holds.
bool fits(Shape shape, std::size_t count) {
  if (shape == Shape::kNumberOrRange) return count == 1 || count == 2;
  return count == suffixes(shape).size();
}

Result<std::vector<double>> parse_values(Shape shape, std::string_view text) {
  if (shape == Shape::kPortList) {
    return parse::parse_port_list(text).map(
        [](const PortSet& ports) { return std::vector{as_sample(ports.size())}; });
  }
  const auto numbers = parse::parse_sysctl_numbers(text);
  if (!numbers) return tl::make_unexpected(numbers.error());
  if (!fits(shape, numbers->size())) {
    const std::string expected =
        shape == Shape::kNumberOrRange ? "1 or 2" : std::to_string(suffixes(shape).size());
    return malformed("expected " + expected + " numbers, found " + std::to_string(numbers->size()));
  }
  return std::vector<double>(numbers->begin(), numbers->end());
}

class SysctlCollector final : public Collector {
 public:
  SysctlCollector(Kernel& kernel, const std::vector<std::string>& extra) : kernel_(kernel) {
    for (const std::string& name : extra) {
      extra_.push_back(source_of(name, Shape::kNumberOrRange, "added by extra"));
    }
  }

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    std::size_t found = 0;
    for (const Source& source : default_sources()) found += collect_source(source, out);
    for (const Source& source : extra_) found += collect_source(source, out);
    if (found > 0 || !out.errors().empty()) return {};
    return tl::make_unexpected(
        Error{ErrorReason::kUnavailable, kernel_.proc_path("sys"), "none of the sysctls is there"});
  }

 private:
  /// 1 if the sysctl could be read, else 0.
  std::size_t collect_source(const Source& source, CollectorOutput& out) {
    const std::string path = path_of(source.name);
    const auto values = kernel_.read_proc(path).and_then([&](const std::string& text) {
      return parse_values(source.shape, text).map_error(from_source(kernel_.proc_path(path)));
    });
    out.metrics.emit(kAvailable, values ? 1 : 0, {kernel_.netns(), source.name});
    if (!values) {
      // A sysctl that this kernel or namespace does not have is an answer, not an error.
      if (values.error().reason != ErrorReason::kUnavailable) out.report(values.error());
      return 0;
    }
    // The metrics of a range stand behind that of a single number.
    const std::size_t first = source.shape == Shape::kNumberOrRange && values->size() == 2 ? 1 : 0;
    for (std::size_t i = 0; i < values->size(); ++i) {
      out.metrics.emit(source.metrics[first + i].description(), (*values)[i], {kernel_.netns()});
    }
    return 1;
  }

  Kernel& kernel_;
  std::vector<Source> extra_;
};

/// A sysctl's name as `sysctl` prints it: at least two words of small letters, digits, `_` and `-`,
/// parted by single dots, so that its path stays below /proc/sys.
bool is_sysctl_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return name.size() <= 128 && std::ranges::all_of(name, is_allowed) &&
         name.find('.') != std::string_view::npos && !name.starts_with('.') &&
         !name.ends_with('.') && name.find("..") == std::string_view::npos;
}

/// What is wrong with an extra sysctl, or nothing.
std::optional<std::string> find_problem(const std::string& sysctl,
                                        const std::vector<std::string>& accepted) {
  if (!is_sysctl_name(sysctl))
    return "expected the name of a sysctl, such as net.ipv4.tcp_retries2";
  const std::string metric = metric_name(sysctl, "");
  const auto same_metric = [&](std::string_view other) { return metric_name(other, "") == metric; };
  if (std::ranges::any_of(kSysctls, same_metric, &Sysctl::name)) return "is published already";
  if (std::ranges::any_of(accepted, same_metric)) return "is named twice";
  return std::nullopt;
}

CollectorFactory configure(config::OptionReader& options) {
  const std::vector<std::string> extra = options.list("extra", {});
  std::vector<std::string> accepted;
  for (std::size_t i = 0; i < extra.size(); ++i) {
    if (auto problem = find_problem(extra[i], accepted)) {
      options.reject_item("extra", i, *std::move(problem));
    } else {
      accepted.push_back(extra[i]);
    }
  }
  return [accepted](const CollectorContext& context) {
    return std::make_unique<SysctlCollector>(context.kernel, accepted);
  };
}

}  // namespace

extern const CollectorEntry sysctl_collector{
    .name = "sysctl",
    .help = "The sysctls that govern TIME-WAIT, ephemeral ports and TCP queues.",
    .privilege = "none",
    .enabled_by_default = true,
    .metrics = declared_metrics,
    .configure = configure,
};

}  // namespace timewait
