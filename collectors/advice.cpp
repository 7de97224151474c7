#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/collector.h"
#include "collectors/fields_file.h"
#include "collectors/findings.h"
#include "collectors/model/advice_history.h"
#include "collectors/model/advice_rules.h"
#include "collectors/parse/counters.h"
#include "collectors/parse/sockstat.h"
#include "collectors/read_ports.h"
#include "config/option_reader.h"

namespace timewait {

namespace {

constexpr MetricDescription kAdvice{
    "timewait_advice",
    MetricType::kGauge,
    "1 if the rule of docs/advice.md speaks, else 0; absent where a source of the rule is.",
    {"netns", "rule", "severity"}};

constexpr std::array kMetrics{kAdvice};

/// Older figures of the sockets are not judged: what they showed has ended since.
constexpr std::chrono::minutes kFindingsAge{3};

/// Nothing where the kernel does not offer it, which is an answer; nothing and a report where it
/// could not be read.
template <class Value>
std::optional<Value> take(Result<Value> read, CollectorOutput& out) {
  if (read) return *std::move(read);
  if (read.error().reason != ErrorReason::kUnavailable) out.report(std::move(read).error());
  return std::nullopt;
}

std::string page_of(std::string_view rule) { return "docs/runbooks/" + std::string(rule) + ".md"; }

class AdviceCollector final : public Collector {
 public:
  explicit AdviceCollector(const CollectorContext& context)
      : kernel_(context.kernel), findings_(context.findings) {}

  Result<void> collect(SteadyTime now, CollectorOutput& out) override {
    AdviceFigures figures;
    read_sysctls(figures, out);
    read_ports(figures, out);
    read_time_wait(figures, out);
    read_counters(now, figures, out);
    read_findings(now, figures);
    if (emit_advice(now, figures, out) > 0 || !out.errors().empty()) return {};
    return tl::make_unexpected(Error{ErrorReason::kUnavailable, kernel_.proc_path("sys/net/ipv4"),
                                     "has nothing that a rule could judge"});
  }

 private:
  std::optional<std::int64_t> read_number(std::string_view name, CollectorOutput& out) {
    return take(read_ipv4_sysctl(kernel_, name), out);
  }

  void read_sysctls(AdviceFigures& figures, CollectorOutput& out) {
    auto recycle = read_ipv4_sysctl(kernel_, "tcp_tw_recycle");
    const bool is_missing = !recycle && recycle.error().reason == ErrorReason::kUnavailable;
    if (is_missing && is_without_tw_recycle(out)) recycle = 0;
    figures.tcp_tw_recycle = take(std::move(recycle), out);
    figures.tcp_tw_reuse = read_number("tcp_tw_reuse", out);
    figures.tcp_timestamps = read_number("tcp_timestamps", out);
    figures.tcp_max_tw_buckets = read_number("tcp_max_tw_buckets", out);
    figures.tcp_fin_timeout = read_number("tcp_fin_timeout", out);
    figures.tcp_rfc1337 = read_number("tcp_rfc1337", out);
  }

  /// Whether tcp_tw_recycle has been removed: in Linux 4.12 and later. Asked until it is known.
  bool is_without_tw_recycle(CollectorOutput& out) {
    constexpr parse::KernelRelease kFirst{4, 12};
    if (!release_) release_ = take(read_kernel_release(kernel_), out);
    return release_ && *release_ >= kFirst;
  }

  void read_ports(AdviceFigures& figures, CollectorOutput& out) {
    const auto ports = take(read_ephemeral_ports(kernel_), out);
    if (!ports) return;
    figures.port_range = ports->range;
    figures.port_capacity = ports->capacity.size();
  }

  void read_time_wait(AdviceFigures& figures, CollectorOutput& out) {
    const FieldsFile sockstat(kernel_, "net/sockstat", "TCP", parse::parse_sockstat);
    report_unreadable(sockstat, out);
    figures.time_wait = take(sockstat.find("tw"), out).value_or(std::nullopt);
  }

  void read_counters(SteadyTime now, AdviceFigures& figures, CollectorOutput& out) {
    const FieldsFile netstat(kernel_, "net/netstat", "TcpExt", parse::parse_counters);
    report_unreadable(netstat, out);
    const auto rise = [&](std::string_view field, RecentRise& recent) {
      const auto value = take(netstat.find(field), out).value_or(std::nullopt);
      return value ? std::optional(recent.see(now, *value)) : std::nullopt;
    };
    figures.time_wait_overflows = rise("TCPTimeWaitOverflow", time_wait_overflows_);
    figures.aborts_on_linger = rise("TCPAbortOnLinger", aborts_on_linger_);
    figures.aborts_on_data = rise("TCPAbortOnData", aborts_on_data_);
    // Which of the two an entry counts in is a question of its timeout alone.
    const auto entries = rise("TW", time_wait_entries_);
    const auto short_entries = rise("TWKilled", short_time_wait_entries_);
    if (entries && short_entries) figures.time_wait_entries = *entries + *short_entries;
  }

  void read_findings(SteadyTime now, AdviceFigures& figures) {
    if (!findings_.sockets || now - findings_.sockets->at > kFindingsAge) {
      many_close_wait_.forget();
      return;
    }
    figures.sockets = findings_.sockets;
    figures.many_close_wait_for =
        many_close_wait_.see(figures.sockets->at, figures.sockets->close_wait);
  }

  static void report_unreadable(const FieldsFile& file, CollectorOutput& out) {
    const Error* const error = file.error();
    if (error != nullptr && error->reason != ErrorReason::kUnavailable) out.report(*error);
  }

  /// How many rules could be judged.
  std::size_t emit_advice(SteadyTime now, const AdviceFigures& figures, CollectorOutput& out) {
    std::size_t judged = 0;
    const auto rules = advice_rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto verdict = rules[i].judge(figures);
      if (verdict) {
        ++judged;
        out.metrics.emit(kAdvice, verdict->speaks() ? 1 : 0,
                         {kernel_.netns(), rules[i].name, to_string(rules[i].severity)});
      }
      if (!is_to_be_logged(now, verdict, last_spoke_[i])) continue;
      out.advise({rules[i].name, rules[i].severity, verdict ? verdict->evidence : std::string(),
                  page_of(rules[i].name)});
    }
    return judged;
  }

  /// True while the rule speaks, and so long afterwards that one which comes and goes is one line
  /// in the log. A rule that cannot be judged has not fallen silent.
  static bool is_to_be_logged(SteadyTime now, const std::optional<Verdict>& verdict,
                              std::optional<SteadyTime>& last_spoke) {
    if (verdict && verdict->speaks()) {
      last_spoke = now;
    } else if (verdict && last_spoke && now - *last_spoke >= kRecently) {
      last_spoke.reset();
    }
    return last_spoke.has_value();
  }

  Kernel& kernel_;
  const Findings& findings_;
  std::optional<parse::KernelRelease> release_;
  RecentRise time_wait_overflows_;
  RecentRise time_wait_entries_;
  RecentRise short_time_wait_entries_;
  RecentRise aborts_on_linger_;
  RecentRise aborts_on_data_;
  LastingCount many_close_wait_{kManyCloseWait};
  /// By rule, at the last polls.
  std::vector<std::optional<SteadyTime>> last_spoke_ =
      std::vector<std::optional<SteadyTime>>(advice_rules().size());
};

CollectorFactory configure(config::OptionReader& /*options*/) {
  return [](const CollectorContext& context) { return std::make_unique<AdviceCollector>(context); };
}

}  // namespace

extern const CollectorEntry advice_collector{
    .name = "advice",
    .help =
        "Rules about TIME-WAIT and ephemeral ports that say what is set or used wrongly, by "
        "sysctls, counters and what sock_diag found.",
    .privilege = "none",
    .enabled_by_default = true,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
