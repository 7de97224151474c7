#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "collectors/model/distinct_count.h"

namespace timewait {

/// The heaviest keys of a stream, each with a value that its owner keeps, in bounded memory:
/// Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k
/// Elements in Data Streams", ICDT 2005).
///
/// Up to `capacity` distinct keys it is an exact table. A further key takes over the entry with the
/// lowest count, whose value starts anew and whose count becomes the newcomer's error: it may have
/// come so many times before without being noticed. With n items in the stream that is never more
/// than n / capacity, and every key that came more often than that has an entry.
///
/// The paper keeps the entries sorted by count. Here a cursor looks for an entry with the lowest
/// count: since counts only grow, it passes the table once for each value of the lowest count, of
/// which there are at most n / capacity. That is at most one step for each item of the stream.
///
/// Memory: capacity entries and an index, reserved once and touched as far as it gets used.
/// `Key` has `hash()` with 64 well-mixed bits and ==.
template <class Key, class Value>
class HeavyHitters {
 public:
  struct Entry {
    Key key;
    Value value{};            ///< of the occurrences since the key got the entry
    std::uint32_t count = 0;  ///< the key's occurrences, at most `error` too high
    std::uint32_t error = 0;  ///< how many occurrences may have passed before
    std::uint32_t hash = 0;   ///< the low half of the key's
  };

  explicit HeavyHitters(std::size_t capacity) : capacity_(capacity) {
    entries_.reserve(capacity);
    clear();
  }

  /// Notes one occurrence and gives the key's entry, for its value to be kept. The reference is
  /// good until the next call.
  Entry& add(const Key& key) {
    const std::uint64_t hash = key.hash();
    ++total_;
    std::size_t position = home(low_half(hash));
    for (; slots_[position].entry != kNone; position = after(position)) {
      if (slots_[position].hash != low_half(hash)) continue;
      Entry& entry = entries_[slots_[position].entry];
      if (entry.key == key) {
        ++entry.count;
        return entry;
      }
    }
    return entries_.size() < capacity_ ? insert(key, hash, position) : take_over(key, hash);
  }

  std::span<const Entry> entries() const { return entries_; }
  Entry& operator[](std::size_t index) { return entries_[index]; }
  std::uint32_t index_of(const Entry& entry) const {
    return static_cast<std::uint32_t>(&entry - entries_.data());
  }

  /// Occurrences of all keys, with or without an entry.
  std::uint64_t total() const { return total_; }

  /// The most occurrences that the value of any key may lack; 0 while every key has an entry.
  std::uint64_t error_bound() const { return is_full_ ? lowest_ : 0; }

  /// Distinct keys: exact while every key has an entry, else estimated (see DistinctCount), and
  /// more than there are entries.
  std::uint64_t distinct() const {
    if (!is_full_) return entries_.size();
    return std::max<std::uint64_t>(distinct_.estimate(), entries_.size() + 1);
  }

  /// Forgets everything but keeps the memory.
  void clear() {
    entries_.clear();
    slots_.assign(slots_.empty() ? kFirstSlots : slots_.size(), {});
    total_ = 0;
    is_full_ = false;
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kFirstSlots = 64;

  /// The index of the table: open addressing with linear probing. A slot has what a search needs,
  /// so that it touches no entry in vain.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = kNone;
  };

  static std::uint32_t low_half(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }
  std::size_t home(std::uint32_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t after(std::size_t position) const { return (position + 1) & (slots_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const {
    return (to - from) & (slots_.size() - 1);
  }

  void link(Slot slot) {
    std::size_t position = home(slot.hash);
    while (slots_[position].entry != kNone) position = after(position);
    slots_[position] = slot;
  }

  /// Takes an entry's slot out and closes the gap, so that no search ends too early.
  void unlink(std::uint32_t entry) {
    std::size_t gap = home(entries_[entry].hash);
    while (slots_[gap].entry != entry) gap = after(gap);
    for (std::size_t next = after(gap); slots_[next].entry != kNone; next = after(next)) {
      if (distance(home(slots_[next].hash), next) < distance(gap, next)) continue;
      slots_[gap] = slots_[next];
      gap = next;
    }
    slots_[gap] = {};
  }

  Entry& insert(const Key& key, std::uint64_t hash, std::size_t position) {
    const auto index = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({.key = key, .count = 1, .hash = low_half(hash)});
    slots_[position] = {low_half(hash), index};
    if (entries_.size() * 2 > slots_.size()) {
      slots_.assign(slots_.size() * 2, {});
      for (std::uint32_t i = 0; i <= index; ++i) link({entries_[i].hash, i});
    }
    return entries_[index];
  }

  Entry& take_over(const Key& key, std::uint64_t hash) {
    if (!is_full_) begin_to_share();
    distinct_.add(hash);
    const std::uint32_t index = find_lowest();
    unlink(index);
    entries_[index] = {.key = key, .count = lowest_ + 1, .error = lowest_, .hash = low_half(hash)};
    link({low_half(hash), index});
    return entries_[index];
  }

  void begin_to_share() {
    is_full_ = true;
    lowest_ = 1;
    cursor_ = 0;
    distinct_.clear();
    for (const Entry& entry : entries_) distinct_.add(entry.key.hash());
  }

  /// Every entry's count is at least lowest_, and above it before the cursor.
  std::uint32_t find_lowest() {
    while (entries_[cursor_].count > lowest_) {
      if (++cursor_ < entries_.size()) continue;
      cursor_ = 0;
      ++lowest_;
    }
    return static_cast<std::uint32_t>(cursor_);
  }

  std::size_t capacity_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  ///< a power of two, at most half of them taken
  std::uint64_t total_ = 0;
  bool is_full_ = false;  ///< some key has had to give way
  std::uint32_t lowest_ = 1;
  std::size_t cursor_ = 0;
  DistinctCount distinct_;
};

}  // namespace timewait
