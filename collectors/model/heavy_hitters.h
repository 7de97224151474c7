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
    std::uint32_t next = kNone;
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
    for (std::uint32_t i = heads_[slot(hash)]; i != kNone; i = entries_[i].next) {
      Entry& entry = entries_[i];
      if (entry.hash == low_half(hash) && entry.key == key) {
        ++entry.count;
        return entry;
      }
    }
    return entries_.size() < capacity_ ? insert(key, hash) : take_over(key, hash);
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
    heads_.assign(heads_.empty() ? kFirstSlots : heads_.size(), kNone);
    total_ = 0;
    is_full_ = false;
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kFirstSlots = 64;

  static std::uint32_t low_half(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }
  std::size_t slot(std::uint64_t hash) const { return low_half(hash) & (heads_.size() - 1); }

  void link(std::uint32_t index) {
    Entry& entry = entries_[index];
    std::uint32_t& head = heads_[slot(entry.hash)];
    entry.next = head;
    head = index;
  }

  void unlink(std::uint32_t index) {
    std::uint32_t* link = &heads_[slot(entries_[index].hash)];
    while (*link != index) link = &entries_[*link].next;
    *link = entries_[index].next;
  }

  Entry& insert(const Key& key, std::uint64_t hash) {
    const auto index = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({.key = key, .count = 1, .hash = low_half(hash)});
    if (entries_.size() > heads_.size()) {
      heads_.assign(heads_.size() * 2, kNone);
      for (std::uint32_t i = 0; i <= index; ++i) link(i);
    } else {
      link(index);
    }
    return entries_[index];
  }

  Entry& take_over(const Key& key, std::uint64_t hash) {
    if (!is_full_) begin_to_share();
    distinct_.add(hash);
    const std::uint32_t index = find_lowest();
    unlink(index);
    entries_[index] = {.key = key, .count = lowest_ + 1, .error = lowest_, .hash = low_half(hash)};
    link(index);
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
  std::vector<std::uint32_t> heads_;  ///< first entry of each chain; a power of two
  std::uint64_t total_ = 0;
  bool is_full_ = false;  ///< some key has had to give way
  std::uint32_t lowest_ = 1;
  std::size_t cursor_ = 0;
  DistinctCount distinct_;
};

}  // namespace timewait
