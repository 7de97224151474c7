#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace timewait::status_page {

/// How the host fares, the worse the higher.
enum class HostState : std::uint8_t { kFine, kNotKnown, kWatch, kInDanger, kFailing };

constexpr std::string_view to_string(HostState state) {
  switch (state) {
    case HostState::kFine:
      return "Fine";
    case HostState::kNotKnown:
      return "Not known";
    case HostState::kWatch:
      return "Watch";
    case HostState::kInDanger:
      return "In danger";
    case HostState::kFailing:
      return "Failing now";
  }
  return "Not known";
}

/// One thing that can be said of the host.
struct Finding {
  HostState state = HostState::kFine;
  std::string sentence;  ///< what
  std::string reason;    ///< why it says so, in whole sentences; may be empty
  std::string page{};    ///< the one in docs/runbooks that says what to do; empty: there is nothing
};

/// Whether this host is in danger: the worst finding, and the others.
struct Verdict {
  Finding worst;
  std::vector<Finding> others;   ///< the worse first
  std::vector<Finding> unknown;  ///< what could not be judged beside the ports
};

struct StatusView;

/// Judges all the rest of a view.
///   failing    connects fail (a port was missing in the last five minutes), or the next to some
///              destination will
///   in danger  a destination has four fifths of its ports taken, no port is left to bind(), or
///              advice is critical
///   watch      a destination has half of its ports taken or TIME-WAIT sockets that should have
///   been
///              taken over, connect() has become slow, bind() or a server's client has four fifths,
///              or advice warns
///   not known  the ports could not be read
Verdict judge_host(const StatusView& view);

}  // namespace timewait::status_page
