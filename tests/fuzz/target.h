#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "collectors/error.h"

// One function for each program that libFuzzer drives. The replay of the corpora links them all
// together: there each source file is compiled with another name for it (CMakeLists.txt).
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace timewait::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// Throws where the code under test breaks a promise: libFuzzer takes it for a crash, the replay
/// for a failure of the input at hand.
inline void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(promise);
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline bool is_printable(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

/// No message is longer: what it quotes is cut.
inline constexpr std::size_t kSaneLength = 500;

/// What every parser promises of its errors: they can be logged as they are.
inline void check(const Error& error) {
  require(error.reason == ErrorReason::kMalformed, "a parser's error is a malformed text");
  require(error.source.empty(), "a parser does not know where its text came from");
  require(!error.detail.empty(), "an error says what is wrong");
  require(error.detail.size() < kSaneLength, "an error has a sane length");
  require(is_printable(error.detail), "an error is printable ASCII");
}

/// Takes the first byte off an input that chooses by it how the rest is treated; 0 at the end.
inline std::uint8_t take_byte(Bytes& input) {
  if (input.empty()) return 0;
  const std::uint8_t byte = input.front();
  input = input.subspan(1);
  return byte;
}

}  // namespace timewait::fuzz
