#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace timewait {

enum class MetricType : std::uint8_t { kGauge, kCounter };

namespace detail {

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_snake_case(std::string_view name) {
  if (name.empty() || !is_lower(name.front())) return false;
  for (const char c : name) {
    if (!is_lower(c) && !is_digit(c) && c != '_') return false;
  }
  return true;
}

constexpr bool is_help_sentence(std::string_view help) {
  if (help.empty() || help.back() != '.') return false;
  for (const char c : help) {
    if (c < ' ' || c > '~' || c == '\\' || c == '"') return false;
  }
  return true;
}

/// Not constexpr and never defined: a call to it does not compile.
void wrong_metric_description(const char* why);

}  // namespace detail

/// Name, type, help and label names of one metric family. A wrong one does not compile: the name
/// starts with `timewait_` or `process_`, ends in `_total` exactly where it is a counter, and the
/// help is one sentence of printable ASCII that needs no escaping in any exposition format. The
/// strings are not owned: literals, or names that outlive the description (see RunTimeMetric).
class MetricDescription {
 public:
  static constexpr std::size_t kMaxLabels = 6;

  // NOLINTNEXTLINE(google-explicit-constructor): tables of descriptions are braced lists.
  consteval MetricDescription(std::string_view name, MetricType type, std::string_view help,
                              std::initializer_list<std::string_view> labels = {})
      : MetricDescription(Unchecked{}, name, type, help, std::span(labels.begin(), labels.size())) {
    if (const char* why = problem(); why != nullptr) detail::wrong_metric_description(why);
  }

  /// Without the check at compile time, for names that are made at run time: tests check those, and
  /// whoever takes a part of one from the configuration checks that part first.
  static MetricDescription at_run_time(std::string_view name, MetricType type,
                                       std::string_view help,
                                       std::span<const std::string_view> labels) {
    return {Unchecked{}, name, type, help, labels};
  }

  constexpr std::string_view name() const { return name_; }
  constexpr MetricType type() const { return type_; }
  constexpr std::string_view help() const { return help_; }
  constexpr std::span<const std::string_view> labels() const {
    return std::span(labels_).first(label_count_);
  }

  /// What breaks the rules above, or nullptr.
  constexpr const char* problem() const {
    if (!detail::is_snake_case(name_)) return "metric name is not snake_case";
    if (!name_.starts_with("timewait_") && !name_.starts_with("process_")) {
      return "metric name lacks the prefix";
    }
    if (name_.ends_with("_total") != (type_ == MetricType::kCounter)) {
      return "_total is for counters, and every counter has it";
    }
    if (!detail::is_help_sentence(help_)) return "help is not one plain sentence";
    for (const std::string_view label : labels()) {
      if (!detail::is_snake_case(label)) return "label name is not snake_case";
    }
    return nullptr;
  }

 private:
  struct Unchecked {};

  constexpr MetricDescription(Unchecked /*tag*/, std::string_view name, MetricType type,
                              std::string_view help, std::span<const std::string_view> labels)
      : name_(name), help_(help), type_(type), label_count_(labels.size()) {
    assert(labels.size() <= kMaxLabels);
    std::size_t i = 0;
    for (const std::string_view label : labels) labels_[i++] = label;
  }

  std::string_view name_;
  std::string_view help_;
  MetricType type_;
  std::size_t label_count_;
  std::array<std::string_view, kMaxLabels> labels_{};
};

/// A metric whose name is made at run time, from a table of kernel names or from the configuration.
class RunTimeMetric {
 public:
  RunTimeMetric(std::string name, MetricType type, std::string help,
                std::vector<std::string_view> labels)
      : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)), type_(type) {}

  /// Refers to this object, which has to stay where it is.
  MetricDescription description() const {
    return MetricDescription::at_run_time(name_, type_, help_, labels_);
  }

 private:
  std::string name_;
  std::string help_;
  std::vector<std::string_view> labels_;  ///< literals
  MetricType type_;
};

using MetricFamilies = std::vector<prometheus::MetricFamily>;

/// Gathers the samples of one collector's poll into metric families, in the order of their first
/// sample. Not thread-safe; one per collector and poll.
class MetricBuilder {
 public:
  /// Adds one sample. `label_values` are in the order of the description's labels, one for each.
  /// `value` is finite: a value that is not known is not emitted.
  void emit(const MetricDescription& metric, double value,
            std::initializer_list<std::string_view> label_values = {});

  MetricFamilies take() { return std::move(families_); }

 private:
  prometheus::MetricFamily& find_or_add(const MetricDescription& metric);

  MetricFamilies families_;
};

/// A count as a sample value. Exact up to 2^53, which no count of sockets or bytes here reaches.
constexpr double as_sample(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace timewait
