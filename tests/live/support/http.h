#pragma once

#include <string>

#include "daemon/file_descriptor.h"

namespace timewait::test {

/// A connection to a Unix socket; not open where nobody listens there.
FileDescriptor connect_to_unix_socket(const std::string& path);

/// The body of the reply to a GET on a connection of its own; empty unless the status is 200 and
/// the reply came whole.
std::string http_get(const FileDescriptor& connection, const std::string& path);

}  // namespace timewait::test
