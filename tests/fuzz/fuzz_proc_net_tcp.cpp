// Input: the number of chunk sizes, modulo 8, the sizes less one, a byte each, and the file's text,
// which is cut into chunks of these sizes over and over.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/parse/proc_net_tcp.h"
#include "collectors/parse/text.h"
#include "tests/fuzz/socket_promises.h"

namespace {

using namespace timewait;

std::vector<std::size_t> take_chunk_sizes(fuzz::Bytes& input) {
  std::vector<std::size_t> sizes(fuzz::take_byte(input) % 8U);
  for (std::size_t& size : sizes) size = fuzz::take_byte(input) + std::size_t{1};
  if (sizes.empty()) sizes.push_back(std::string::npos);
  return sizes;
}

std::vector<std::string> split(std::string_view text, const std::vector<std::size_t>& sizes) {
  std::vector<std::string> lines;
  const auto on_line = [&](std::string_view line) -> Result<void> {
    fuzz::require(line.size() <= parse::LineSplitter::kMaxLine, "a line has a limited length");
    fuzz::require(line.find('\n') == std::string_view::npos, "a line holds no newline");
    lines.emplace_back(line);
    return {};
  };
  parse::LineSplitter splitter;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::string_view chunk = text.substr(0, sizes[i % sizes.size()]);
    fuzz::require(splitter.push(chunk, on_line).has_value(),
                  "the splitter has no errors of its own");
    text.remove_prefix(chunk.size());
  }
  fuzz::require(splitter.finish(on_line).has_value(), "the splitter has no errors of its own");
  return lines;
}

void check_stops_at_first_error(std::string_view text) {
  std::size_t calls = 0;
  const auto refuse = [&](std::string_view) -> Result<void> {
    ++calls;
    return malformed("refused");
  };
  const bool pushed = parse::LineSplitter().push(text, refuse).has_value();
  fuzz::require(calls == (pushed ? 0 : 1), "the splitter stops at the first error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes input(data, size);
  const std::vector<std::size_t> sizes = take_chunk_sizes(input);
  const std::string_view text = fuzz::as_text(input);

  const std::vector<std::string> lines = split(text, sizes);
  fuzz::require(lines == split(text, {std::string::npos}), "chunks make no difference");
  check_stops_at_first_error(text);
  for (const std::string& line : lines) {
    const auto socket = parse::parse_proc_net_tcp_line(line);
    if (!socket) fuzz::check(socket.error());
    if (socket && *socket) fuzz::check(**socket);
  }
  return 0;
}
