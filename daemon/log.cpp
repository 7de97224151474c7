#include "daemon/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace timewait {

namespace {

struct NamedLevel {
  LogLevel level;
  std::string_view name;
};
constexpr std::array kLevels{
    NamedLevel{LogLevel::kDebug, "debug"}, NamedLevel{LogLevel::kInfo, "info"},
    NamedLevel{LogLevel::kWarn, "warn"}, NamedLevel{LogLevel::kError, "error"}};

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)].name; }

// Bytes outside printable ASCII are escaped one by one, so that no text can break a line, a
// terminal or the encoding.
void append_quoted(std::string& line, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line.append({'\\', c});
    } else if (c == '\n') {
      line += "\\n";
    } else if (c >= ' ' && c <= '~') {
      line += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      line.append({'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 0xfU]});
    }
  }
  line += '"';
}

void append_logfmt(std::string& line, std::string_view key, std::string_view value) {
  const auto is_plain = [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  };
  if (!line.empty()) line += ' ';
  line.append(key).append("=");
  if (!value.empty() && std::ranges::all_of(value, is_plain)) {
    line += value;
  } else {
    append_quoted(line, value);
  }
}

void append_json(std::string& line, std::string_view key, std::string_view value) {
  line += line.empty() ? "{" : ",";
  append_quoted(line, key);
  line += ':';
  append_quoted(line, value);
}

std::string render_timestamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string fraction = std::to_string(milliseconds);
  fraction.insert(0, 3 - std::min<std::size_t>(3, fraction.size()), '0');
  return std::string(text.data(), length) + "." + fraction + "Z";
}

void write_to_standard_error(std::string_view line) {
  // A log that cannot be written cannot be reported either.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  const auto found = std::ranges::find(kLevels, text, &NamedLevel::name);
  if (found == kLevels.end()) return std::nullopt;
  return found->level;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return std::nullopt;
}

Log::Log(LogLevel least, LogFormat format, Sink sink)
    : least_(least),
      format_(format),
      sink_(sink ? std::move(sink) : Sink(write_to_standard_error)) {}

void Log::debug(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::kDebug, message, fields);
}
void Log::info(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::kInfo, message, fields);
}
void Log::warn(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::kWarn, message, fields);
}
void Log::error(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::kError, message, fields);
}

void Log::write(LogLevel level, std::string_view message,
                std::initializer_list<LogField> fields) const {
  if (level < least_) return;
  sink_(render_log_line(format_, render_timestamp(), level, message, fields));
}

std::string render_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view message, std::initializer_list<LogField> fields) {
  const auto append = format == LogFormat::kJson ? append_json : append_logfmt;
  std::string line;
  append(line, "ts", timestamp);
  append(line, "level", to_string(level));
  append(line, "msg", message);
  for (const LogField& field : fields) append(line, field.key, field.value);
  line += format == LogFormat::kJson ? "}\n" : "\n";
  return line;
}

}  // namespace timewait
