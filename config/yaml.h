#pragma once

#include <string_view>

#include "config/problem.h"
#include "config/value.h"

namespace timewait::config {

/// Reads YAML text: one UTF-8 document, possibly empty, without anchors, aliases, merge keys and
/// tags, within limits of size and nesting that no real configuration reaches. A text that breaks
/// YAML's syntax or those limits is one problem and reads as null; else duplicate keys and what is
/// not supported are all gathered. `problems` is empty before. Never throws, whatever the text.
Value parse_yaml(std::string_view text, Problems& problems);

}  // namespace timewait::config
