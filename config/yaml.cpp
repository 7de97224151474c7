#include "config/yaml.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/file.h"
#include "config/quote.h"

namespace timewait::config {

namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxValues = 10'000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

/// Builds a Value from yaml-cpp's events. Events rather than YAML::Node: the limits hold while the
/// text is parsed, duplicate keys are seen, and no alias is followed.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Problems& problems) : problems_(problems) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  /// A list or mapping whose end is still to come.
  struct Open {
    Value value;
    Entry entry;  ///< in a mapping, the entry being read
    bool expects_key = true;
    bool leave_out = false;  ///< the entry's key is wrong: its value is checked, but not kept
    std::unordered_map<std::string, std::size_t> lines_of_keys;
  };

  void begin_value(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor);
  /// Puts a complete value where it belongs; nothing stands for one that is left out.
  void end_value(std::optional<Value> value);
  void end_key(Open& map, std::optional<Value> key);
  static void end_entry(Open& map, std::optional<Value> value);
  void open(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor, Value value);
  void close();
  Place place_of_null(const YAML::Mark& mark) const;
  void add_problem(const Place& place, std::string_view message);

  Problems& problems_;
  Value root_{{1, 1}, {}};
  std::vector<Open> open_;
  std::size_t values_ = 0;
  bool has_document_ = false;
};

constexpr std::string_view kTagOfPlain = "?";
constexpr std::string_view kTagOfQuoted = "!";
constexpr std::string_view kStandardTagPrefix = "tag:yaml.org,2002:";

/// The tag as the file has it.
std::string unresolved(std::string_view tag) {
  if (!tag.starts_with(kStandardTagPrefix)) return std::string(tag);
  return "!!" + std::string(tag.substr(kStandardTagPrefix.size()));
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (std::exchange(has_document_, true)) {
    throw YAML::ParserException(mark, "expected a single document, found another one");
  }
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  begin_value(mark, {}, anchor);
  end_value(Value{place_of_null(mark), {}});
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) {
  begin_value(mark, {}, {});
  add_problem(place_of(mark), "aliases (*) are not supported, write the value out");
  end_value(std::nullopt);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& text) {
  begin_value(mark, tag, anchor);
  end_value(Value{place_of(mark), Scalar{text, tag == kTagOfQuoted}});
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  open(mark, tag, anchor, {place_of(mark), List{}});
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value /*style*/) {
  open(mark, tag, anchor, {place_of(mark), Map{}});
}

void TreeBuilder::begin_value(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) {
  if (++values_ > kMaxValues) {
    throw YAML::ParserException(mark, "more than " + std::to_string(kMaxValues) + " values");
  }
  if (anchor != 0) add_problem(place_of(mark), "anchors (&) are not supported");
  if (!tag.empty() && tag != kTagOfPlain && tag != kTagOfQuoted) {
    add_problem(place_of(mark), "tags are not supported, found " + in_quotes(unresolved(tag)));
  }
}

void TreeBuilder::end_value(std::optional<Value> value) {
  if (open_.empty()) {
    if (value) root_ = *std::move(value);
    return;
  }
  Open& parent = open_.back();
  if (auto* list = std::get_if<List>(&parent.value.data)) {
    if (value) list->push_back(*std::move(value));
  } else if (parent.expects_key) {
    end_key(parent, std::move(value));
  } else {
    end_entry(parent, std::move(value));
  }
}

void TreeBuilder::end_key(Open& map, std::optional<Value> key) {
  map.expects_key = false;
  map.leave_out = true;
  if (!key) return;
  const auto* scalar = std::get_if<Scalar>(&key->data);
  if (scalar == nullptr) {
    add_problem(key->place, "expected a plain name as key");
  } else if (scalar->text == "<<" && !scalar->quoted) {
    add_problem(key->place, "merge keys (<<) are not supported, write the values out");
  } else {
    const auto [first, is_new] = map.lines_of_keys.emplace(scalar->text, key->place.line);
    if (!is_new) {
      add_problem(key->place, "duplicate key " + in_quotes(scalar->text) + ", first on line " +
                                  std::to_string(first->second));
    }
    map.leave_out = !is_new;
    map.entry.key = scalar->text;
  }
  map.entry.place = key->place;
}

void TreeBuilder::end_entry(Open& map, std::optional<Value> value) {
  Entry entry = std::exchange(map.entry, {});
  map.expects_key = true;
  if (map.leave_out || !value) return;
  entry.value = *std::move(value);
  std::get<Map>(map.value.data).push_back(std::move(entry));
}

void TreeBuilder::open(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor,
                       Value value) {
  begin_value(mark, tag, anchor);
  if (open_.size() == kMaxDepth) {
    throw YAML::ParserException(mark,
                                "nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  open_.emplace_back();
  open_.back().value = std::move(value);
}

void TreeBuilder::close() {
  Value value = std::move(open_.back().value);
  open_.pop_back();
  end_value(std::move(value));
}

/// yaml-cpp marks an absent value at whatever follows it, often on another line.
Place TreeBuilder::place_of_null(const YAML::Mark& mark) const {
  if (open_.empty()) return root_.place;
  const Open& parent = open_.back();
  if (std::holds_alternative<List>(parent.value.data)) return parent.value.place;
  return parent.expects_key ? place_of(mark) : parent.entry.place;
}

void TreeBuilder::add_problem(const Place& place, std::string_view message) {
  std::string path;
  for (const Open& level : open_) {
    if (level.entry.key.empty()) continue;
    path += (path.empty() ? "" : ".") + level.entry.key;
  }
  path = escaped(path);
  if (!path.empty()) path += ": ";
  problems_.push_back({place, path + std::string(message)});
}

constexpr std::array<std::uint32_t, 5> kLeastCodeOfLength = {0, 0, 0x80, 0x800, 0x10000};

/// The bytes of the character at the front of `text`, or 0 where it is no UTF-8 or a control
/// character other than tab and line end.
std::size_t length_of_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead == '\r') return text.starts_with("\r\n") ? 1 : 0;
  if (lead < 0x80) return (lead >= 0x20 && lead != 0x7F) || lead == '\n' || lead == '\t' ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  std::uint32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= kLeastCodeOfLength.at(length) && code <= 0x10FFFF && !is_surrogate ? length : 0;
}

/// Looks for what yaml-cpp would misread: it guesses at encodings, takes some control characters
/// for the end of the text, and passes over directives without a word, also where a key was meant.
std::optional<Problem> find_unsupported(std::string_view text) {
  Place place{1, 1};
  while (!text.empty()) {
    const std::size_t length = length_of_character(text);
    if (length == 0) {
      return Problem{place, "expected UTF-8 text without control characters, found the byte " +
                                in_quotes(text.substr(0, 1))};
    }
    if (text.front() == '%' && place.column == 1) {
      return Problem{place, "directives (lines that begin with %) are not supported"};
    }
    place.column += length;
    if (text.front() == '\n') place = {place.line + 1, 1};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

/// yaml-cpp takes the end of the text for the end of a quoted text, but not the end of the
/// document.
constexpr std::string_view kDocumentEnd = "\n...\n";

Place end_of(std::string_view text) {
  const auto lines = std::count(text.begin(), text.end(), '\n');
  const std::size_t last_line = text.rfind('\n') + 1;  // 0 where there is none
  return {static_cast<std::size_t>(lines) + 1, text.size() - last_line + 1};
}

Problem syntax_problem(const YAML::Exception& error, std::string_view text) {
  const std::string prefix = "cannot read this as YAML: ";
  const bool is_past_end =
      !error.mark.is_null() && static_cast<std::size_t>(error.mark.pos) >= text.size();
  if (!is_past_end) return {place_of(error.mark), prefix + escaped(error.msg)};
  const bool is_quoted = error.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
  return {end_of(text), prefix + (is_quoted ? "a quoted text has no end" : escaped(error.msg))};
}

/// The text as a Value with what is wrong with it as YAML; null where it cannot be read as YAML.
Value read_events(std::string_view text, Problems& problems) {
  try {
    std::istringstream stream(std::string(text) + std::string(kDocumentEnd));
    YAML::Parser parser(stream);
    TreeBuilder builder(problems);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    problems = {syntax_problem(error, text)};
  } catch (const std::exception& error) {
    problems = {{{}, escaped(error.what())}};
  }
  return {};
}

}  // namespace

Value parse_yaml(std::string_view text, Problems& problems) {
  if (text.size() > kMaxFileBytes) {
    problems = {{{}, larger_than_allowed()}};
    return {};
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (auto problem = find_unsupported(text)) {
    problems = {*std::move(problem)};
    return {};
  }
  return read_events(text, problems);
}

}  // namespace timewait::config
