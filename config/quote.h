#pragma once

#include <string>
#include <string_view>

namespace timewait::config {

/// Text of unknown content fit for a message: cut to a sane length, everything but printable ASCII
/// escaped as in C. With `in_quotes`, in double quotes.
std::string escaped(std::string_view text);
std::string in_quotes(std::string_view text);

}  // namespace timewait::config
