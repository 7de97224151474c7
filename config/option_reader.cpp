#include "config/option_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "config/duration.h"
#include "config/quote.h"

namespace timewait::config {

namespace {

constexpr std::size_t kNearDistance = 2;

const Map& no_entries() {
  static const Map map;
  return map;
}

const Value& null_value() {
  static const Value value;
  return value;
}

std::string describe(const Value& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) {
    return (scalar->quoted ? "the quoted text " : "") + in_quotes(scalar->text);
  }
  if (std::holds_alternative<List>(value.data)) return "a list";
  if (std::holds_alternative<Map>(value.data)) return "a mapping";
  return "nothing";
}

/// Where a mapping is expected, a text may be a secret that has slipped a line.
std::string describe_kind(const Value& value) {
  return std::holds_alternative<Scalar>(value.data) ? "a text" : describe(value);
}

template <class Number>
std::optional<Number> parse_number(const Value& value) {
  const auto* scalar = std::get_if<Scalar>(&value.data);
  if (scalar == nullptr || scalar->quoted) return std::nullopt;
  const char* const end = scalar->text.data() + scalar->text.size();
  Number number{};
  const auto [rest, error] = std::from_chars(scalar->text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) return std::nullopt;
  }
  return number;
}

std::string shortest(double number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::string(text.data(), end) : std::to_string(number);
}

std::string between(const std::string& least, const std::string& most) {
  return " between " + least + " and " + most;
}

std::string number_item(std::size_t index, std::string_view message) {
  return "item " + std::to_string(index + 1) + ": " + std::string(message);
}

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

bool could_be_near(std::string_view a, std::string_view b) {
  return std::max(a.size(), b.size()) - std::min(a.size(), b.size()) <= kNearDistance;
}

/// The candidate that `key` is most likely a misspelling of, or nothing.
std::string_view nearest(std::string_view key, const std::vector<std::string>& candidates) {
  std::string_view best;
  std::size_t best_distance = kNearDistance + 1;
  for (const std::string& candidate : candidates) {
    if (!could_be_near(key, candidate)) continue;
    const std::size_t distance = edit_distance(key, candidate);
    // Enough edits make any short key of any other.
    if (distance >= std::min({best_distance, key.size(), candidate.size()})) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace

OptionReader::OptionReader(const Value& section, std::string_view name, Problems& problems)
    : options_(std::get_if<Map>(&section.data)),
      place_(section.place),
      name_(name),
      problems_(&problems) {
  if (options_ != nullptr) return;
  options_ = &no_entries();
  if (!std::holds_alternative<std::monostate>(section.data)) {
    report_no_mapping({}, section, "a mapping of options");
  }
}

bool OptionReader::boolean(std::string_view key, bool fallback) {
  const Value* value = ask(key);
  if (value == nullptr) return fallback;
  const auto* scalar = std::get_if<Scalar>(&value->data);
  if (scalar != nullptr && !scalar->quoted) {
    if (scalar->text == "true") return true;
    if (scalar->text == "false") return false;
  }
  report_wrong_value(key, *value, "true or false");
  return fallback;
}

std::int64_t OptionReader::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                                   std::int64_t most) {
  const Value* value = ask(key);
  if (value == nullptr) return fallback;
  const auto number = parse_number<std::int64_t>(*value);
  if (number && *number >= least && *number <= most) return *number;
  report_wrong_value(key, *value,
                     "a whole number" + between(std::to_string(least), std::to_string(most)));
  return fallback;
}

double OptionReader::number(std::string_view key, double fallback, double least, double most) {
  const Value* value = ask(key);
  if (value == nullptr) return fallback;
  const auto number = parse_number<double>(*value);
  if (number && *number >= least && *number <= most) return *number;
  report_wrong_value(key, *value, "a number" + between(shortest(least), shortest(most)));
  return fallback;
}

std::string OptionReader::text(std::string_view key, std::string_view fallback) {
  const Value* value = ask(key);
  if (value == nullptr) return std::string(fallback);
  if (const auto* scalar = std::get_if<Scalar>(&value->data)) return scalar->text;
  report_wrong_value(key, *value, "a text");
  return std::string(fallback);
}

std::chrono::milliseconds OptionReader::duration(std::string_view key,
                                                 std::chrono::milliseconds fallback,
                                                 std::chrono::milliseconds least,
                                                 std::chrono::milliseconds most) {
  const Value* value = ask(key);
  if (value == nullptr) return fallback;
  const auto* scalar = std::get_if<Scalar>(&value->data);
  const auto duration = scalar == nullptr ? std::nullopt : parse_duration(scalar->text);
  if (!duration) {
    report_wrong_value(key, *value, "a duration such as 15s");
    return fallback;
  }
  if (*duration >= least && *duration <= most) return *duration;
  report_wrong_value(key, *value, "a duration" + between(to_string(least), to_string(most)));
  return fallback;
}

std::vector<std::string> OptionReader::list(std::string_view key,
                                            std::vector<std::string> fallback) {
  const Value* value = ask(key);
  if (value == nullptr) return fallback;
  const auto* items = std::get_if<List>(&value->data);
  if (items == nullptr) {
    report_wrong_value(key, *value, "a list such as [a, b]");
    return fallback;
  }
  std::vector<std::string> texts;
  texts.reserve(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Value& item = (*items)[i];
    if (const auto* scalar = std::get_if<Scalar>(&item.data)) {
      texts.push_back(scalar->text);
    } else {
      add_problem(item.place, path_to(key),
                  number_item(i, "expected a text, found " + describe(item)));
    }
  }
  return texts.empty() && !items->empty() ? fallback : texts;
}

const Value& OptionReader::section(std::string_view key) {
  const Value* value = ask(key);
  return value == nullptr ? null_value() : *value;
}

const Map& OptionReader::entries(std::string_view key) {
  const Value& value = section(key);
  if (const auto* map = std::get_if<Map>(&value.data)) return *map;
  if (!std::holds_alternative<std::monostate>(value.data)) {
    report_no_mapping(key, value, "a mapping");
  }
  return no_entries();
}

void OptionReader::reject(std::string_view key, std::string_view message) {
  const Value* value = lookup(key);
  add_problem(value == nullptr ? place_ : value->place, path_to(key), message);
}

void OptionReader::reject_item(std::string_view key, std::size_t index, std::string_view message) {
  const Value* value = lookup(key);
  if (const auto* items = value == nullptr ? nullptr : std::get_if<List>(&value->data)) {
    std::size_t texts = 0;
    for (std::size_t i = 0; i < items->size(); ++i) {
      const Value& item = (*items)[i];
      if (!std::holds_alternative<Scalar>(item.data) || texts++ != index) continue;
      add_problem(item.place, path_to(key), number_item(i, message));
      return;
    }
  }
  reject(key, number_item(index, message));
}

void OptionReader::reject_unknown() {
  for (const Entry& entry : *options_) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    std::string message = "unknown key " + in_quotes(entry.key);
    const std::string_view known = nearest(entry.key, asked_);
    if (!known.empty()) message += "; did you mean " + in_quotes(known) + "?";
    add_problem(entry.place, path_to({}), message);
  }
}

const Value* OptionReader::lookup(std::string_view key) const {
  const auto found = std::find_if(options_->begin(), options_->end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == options_->end() ? nullptr : &found->value;
}

const Value* OptionReader::ask(std::string_view key) {
  asked_.emplace_back(key);
  return lookup(key);
}

std::string OptionReader::path_to(std::string_view key) const {
  if (name_.empty() || key.empty()) return name_ + std::string(key);
  return name_ + "." + std::string(key);
}

void OptionReader::add_problem(const Place& place, std::string_view path,
                               std::string_view message) {
  std::string text = escaped(path);
  if (!text.empty()) text += ": ";
  problems_->push_back({place, text + std::string(message)});
}

void OptionReader::report_wrong_value(std::string_view key, const Value& found,
                                      std::string_view expected) {
  add_problem(found.place, path_to(key),
              "expected " + std::string(expected) + ", found " + describe(found));
}

void OptionReader::report_no_mapping(std::string_view key, const Value& found,
                                     std::string_view expected) {
  add_problem(found.place, path_to(key),
              "expected " + std::string(expected) + ", found " + describe_kind(found));
}

}  // namespace timewait::config
