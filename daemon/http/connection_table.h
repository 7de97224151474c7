#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>

namespace timewait {

/// An open connection, as the table sees it.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;
  virtual ~Connection() = default;

  /// Ends it at once and takes it out of the table.
  virtual void close() = 0;

 private:
  friend class ConnectionTable;
  enum class State : std::uint8_t { kUnlisted, kIdle, kBusy };

  State state_ = State::kUnlisted;
  std::list<Connection*>::iterator place_;
};

/// The open connections, and of those that are idle which one has been so longest. Idle is one that
/// waits for a request or has not finished its header. Owns none of them. For one thread.
class ConnectionTable {
 public:
  void add(Connection& connection) {
    connection.place_ = idle_.insert(idle_.end(), &connection);
    connection.state_ = Connection::State::kIdle;
    most_ = std::max(most_, size());
  }

  /// Does nothing, like the next two, with a connection that is not in the table.
  void remove(Connection& connection) {
    if (connection.state_ == Connection::State::kUnlisted) return;
    list_of(connection).erase(connection.place_);
    connection.state_ = Connection::State::kUnlisted;
  }

  void set_busy(Connection& connection) { move_to(Connection::State::kBusy, connection); }
  void set_idle(Connection& connection) { move_to(Connection::State::kIdle, connection); }

  std::size_t size() const { return idle_.size() + busy_.size(); }

  /// Whether there were many since the last call, or the last time that this was true, and most of
  /// them have gone.
  bool take_shrinkage() {
    constexpr std::size_t kMany = 32;
    if (most_ < kMany || size() > most_ / 4) return false;
    most_ = size();
    return true;
  }

  /// False if none is idle.
  bool close_longest_idle() {
    if (idle_.empty()) return false;
    idle_.front()->close();
    return true;
  }

  void close_all() {
    while (!idle_.empty()) idle_.front()->close();
    while (!busy_.empty()) busy_.front()->close();
  }

 private:
  std::list<Connection*>& list_of(const Connection& connection) {
    return connection.state_ == Connection::State::kIdle ? idle_ : busy_;
  }

  void move_to(Connection::State state, Connection& connection) {
    if (connection.state_ == Connection::State::kUnlisted) return;
    std::list<Connection*>& from = list_of(connection);
    connection.state_ = state;
    std::list<Connection*>& to = list_of(connection);
    to.splice(to.end(), from, connection.place_);
  }

  std::list<Connection*> idle_;  ///< the longest idle first
  std::list<Connection*> busy_;
  std::size_t most_ = 0;
};

}  // namespace timewait
