#pragma once

#include <optional>

#include "collectors/collector.h"
#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/model/socket_table.h"
#include "collectors/read_sockets.h"

namespace timewait {

/// Fills the table of sockets from the best source that answers: netlink for both families at once,
/// netlink for each, /proc/net/tcp. The next one is tried where one refuses (no such module, not
/// permitted), not where its answer is broken.
///
/// Two things make the kernel visit every TIME-WAIT socket once more: bound idle sockets, and which
/// connections were bound explicitly. A full look asks for both: at each pass over a small table,
/// every two minutes over a large one, and at the first from another source. In between, the bound
/// idle sockets of the last full look are taken to be there still.
class SocketReader {
 public:
  explicit SocketReader(Kernel& kernel) : kernel_(kernel) {}

  using Conditions = std::optional<ConnectPorts::Conditions>;

  /// One pass. Reports to `out` where netlink is not the source, and why.
  Result<void> read(SteadyTime now, const Conditions& conditions, SocketTable& table,
                    CollectorOutput& out);

  /// Of the last pass.
  SocketSource source() const { return source_; }

  /// Whether the last pass would have shown bound idle sockets.
  bool tells_bound_inactive() const {
    return reports_bound_inactive_ && source_ != SocketSource::kProcNetTcp;
  }

 private:
  struct Pass {
    SteadyTime now;
    const Conditions& conditions;
    SocketTable& table;
  };

  /// Whether the kernel dumps bound idle sockets: TCP_BOUND_INACTIVE came with Linux 6.8. One whose
  /// release cannot be read counts as older until it can.
  void look_for_bound_inactive();
  Result<void> read_proc(const Pass& pass, CollectorOutput& out);
  Result<void> read_from(SocketSource source, const Pass& pass);
  Result<void> try_source(SocketSource source, const Pass& pass);
  bool is_full_look_due(SocketSource source, SteadyTime now) const;

  Kernel& kernel_;
  bool knows_release_ = false;
  bool reports_bound_inactive_ = false;
  SocketSource source_ = SocketSource::kBothFamilies;
  std::optional<Error> refusal_;  ///< why netlink is not the source
  SteadyTime netlink_retry_at_;
  std::optional<std::uint64_t> last_sockets_;  ///< of the last whole pass
  SteadyTime last_full_look_;
  std::vector<Socket> bound_idle_;  ///< of the last full look
};

}  // namespace timewait
