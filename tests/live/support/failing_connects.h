#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/file_descriptor.h"
#include "tests/live/support/connection.h"

namespace timewait::test {

/// A destination for which no port of the range is left. Its sockets are gone with it.
class ExhaustedDestinationOf {
 public:
  explicit ExhaustedDestinationOf(const Addressing& addressing);

  const Endpoint& endpoint() const { return service_.endpoint(); }

 private:
  Service service_;
  std::vector<Connection> connections_;
};

struct ConnectOptions {
  int protocol = 0;  ///< IPPROTO_MPTCP, say
  bool blocks = true;
};

/// So many connects on as many sockets. Throws where one does not fail with EADDRNOTAVAIL.
void fail_to_connect(const Endpoint& remote, std::size_t times, const ConnectOptions& options = {});

/// The errno of one connect(); 0 where it succeeds.
int connect_error(const FileDescriptor& socket, const Endpoint& remote);

/// A process of that name that runs `task`, and then stays until this object goes. Throws where the
/// task did.
class NamedProcess {
 public:
  NamedProcess(const std::string& name, const std::function<void()>& task);
  NamedProcess(const NamedProcess&) = delete;
  NamedProcess& operator=(const NamedProcess&) = delete;
  NamedProcess(NamedProcess&&) = delete;
  NamedProcess& operator=(NamedProcess&&) = delete;
  ~NamedProcess();

 private:
  pid_t pid_ = -1;
};

}  // namespace timewait::test
