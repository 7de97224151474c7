#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace timewait::test {

struct Reply {
  int status = 0;
  std::string version;                        ///< such as HTTP/1.1
  std::map<std::string, std::string> fields;  ///< names in lower case
  std::string body;

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string{} : found->second;
  }
};

/// A blocking client on a plain socket. Every wait ends after a generous bound, then counts as
/// failed.
class SocketClient {
 public:
  /// To `127.0.0.1:1`, `[::1]:1` or `unix:/path`; where there is no such connection, connected() is
  /// false. `receive_buffer` in bytes, if not 0.
  explicit SocketClient(const std::string& address, int receive_buffer = 0);
  SocketClient(SocketClient&& other) noexcept;
  SocketClient& operator=(SocketClient&&) = delete;
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;
  ~SocketClient();

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  /// False if the peer has closed.
  bool send(std::string_view bytes) const;

  enum class Body { kExpected, kNone };

  /// The next reply; none if the connection ended first. `kNone`: its header only (HEAD).
  std::optional<Reply> receive(Body body = Body::kExpected);

  std::optional<Reply> get(const std::string& target, const std::string& extra_fields = {});

  /// The next byte, that is also what receive() starts with.
  bool receive_something();

  /// Whether the peer ends the connection, reading what comes before.
  bool wait_for_end();

  /// Whether the peer ends the connection, reading nothing.
  bool wait_for_reset() const;

  /// Whether the peer has ended the connection or does so within the time.
  bool ended_within(int milliseconds);

 private:
  bool wait_readable(int milliseconds) const;
  /// False at the end of the connection.
  bool read_more();

  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
};

}  // namespace timewait::test
