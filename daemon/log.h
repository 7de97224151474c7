#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace timewait {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

std::optional<LogLevel> parse_log_level(std::string_view text);
std::optional<LogFormat> parse_log_format(std::string_view text);

struct LogField {
  std::string_view key;
  std::string value;
};

/// Structured lines on standard error: `ts=… level=info msg="…" key=value` or the same as JSON.
/// A line is one write, so lines of several threads do not mix. Thread-safe.
class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;

  /// `sink` gets each line with its newline; the default writes to standard error.
  explicit Log(LogLevel least = LogLevel::kInfo, LogFormat format = LogFormat::kLogfmt,
               Sink sink = {});

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;

  LogLevel least_;
  LogFormat format_;
  Sink sink_;
};

/// One line. What is not printable ASCII is
/// escaped byte by byte: a line is always one line, whatever the text.
std::string render_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view message, std::initializer_list<LogField> fields);

}  // namespace timewait
