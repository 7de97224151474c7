// Input: the text of a tracepoint's format file.

#include <string>

#include "collectors/parse/connect_failure.h"
#include "collectors/parse/tracepoint_format.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

std::string print(const parse::TracepointFormat& format) {
  std::string text = "ID: " + std::to_string(format.id) + "\n";
  for (const parse::TracepointField& field : format.fields) {
    text += "\tfield:int " + field.name + ";\toffset:" + std::to_string(field.offset) +
            ";\tsize:" + std::to_string(field.size) + ";\tsigned:0;\n";
  }
  return text;
}

void check_fields(const parse::TracepointFormat& format) {
  for (const parse::TracepointField& field : format.fields) {
    fuzz::require(field.offset <= 65536 && field.size <= 65536, "a field has a sane place");
    fuzz::require(field.name.find_first_of(" *[;\n") == std::string::npos, "a name is one word");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto format = parse::parse_tracepoint_format(fuzz::as_text({data, size}));
  if (!format) {
    fuzz::check(format.error());
    return 0;
  }
  check_fields(*format);
  const auto again = parse::parse_tracepoint_format(print(*format));
  fuzz::require(again && again->id == format->id && again->fields.size() == format->fields.size(),
                "a format can be read back");
  const auto layout = parse::compute_connect_failure_layout(*format);
  const auto layout_again = parse::compute_connect_failure_layout(*again);
  if (!layout) {
    fuzz::check(layout.error());
    return 0;
  }
  fuzz::require(layout_again && layout_again->local == layout->local &&
                    layout_again->remote == layout->remote &&
                    layout_again->remote_port == layout->remote_port,
                "a layout can be found again");
  return 0;
}
