#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "config/listen_address.h"

namespace timewait {

/// A listening stream socket, closed at the end.
class Listener {
 public:
  /// A Unix socket's file, and which one it is: another process may have put its own in its place.
  struct SocketFile {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
  };

  /// Takes over `fd`, and `file` to be removed at the end.
  Listener(int fd, std::string address, std::optional<SocketFile> file = std::nullopt);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// What is bound, in the form of --web.listen-address, for example `[::]:10060`; a port asked for
  /// as 0 is the real one here.
  const std::string& address() const { return address_; }

  /// The descriptor, which stays this object's.
  int descriptor() const { return fd_; }

  /// The descriptor, from now on the caller's to close. The file stays this object's to remove.
  int release();

 private:
  void close();

  int fd_;
  std::string address_;
  std::optional<SocketFile> file_;
};

/// Opens a socket and listens on it. An address without host takes IPv4 and IPv6 on one socket, or
/// IPv4 alone where the kernel has no IPv6; `[::]` is IPv6 alone. A Unix socket's file that nobody
/// listens on any more is replaced; the new one's mode is what the umask leaves, and the file is
/// removed with the listener. The error is one line: `cannot listen on 127.0.0.1:10060: Address
/// already in use`.
///
/// `beside` are listening sockets of this process which are no obstacle, as they are about to be
/// closed: `127.0.0.1:10060` can be opened while `:10060` still serves. For the moment of binding
/// they get SO_REUSEPORT, which shares a port with sockets of the same user that have it too.
tl::expected<Listener, std::string> listen_on(const config::ListenAddress& address,
                                              std::span<const int> beside = {});

/// Takes an open descriptor, if it is a listening stream socket of TCP or Unix; otherwise it stays
/// open and the caller's. Sets close-on-exec.
tl::expected<Listener, std::string> adopt_listener(int fd);

/// The sockets that systemd hands over, by LISTEN_PID and LISTEN_FDS in `environment` (as
/// `environ`: `NAME=value`, a null pointer ends it), from descriptor `first_fd` on. None at all is
/// an error, and so is one that adopt_listener refuses.
tl::expected<std::vector<Listener>, std::string> adopt_systemd_listeners(
    const char* const* environment, int first_fd = 3);

}  // namespace timewait
