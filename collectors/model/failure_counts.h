#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "collectors/model/hash.h"
#include "collectors/model/tuples.h"

namespace timewait {

/// Who found no port, and for what.
struct FailureSubject {
  std::string netns;
  ConnectTuple tuple;
  std::string process;

  friend bool operator==(const FailureSubject&, const FailureSubject&) = default;
};

/// Counters by subject, in bounded memory: beyond `capacity` subjects the one that was seen least
/// recently gives way, and what it had counted goes to `other`. So the sum of all is exact.
///
/// A counter never falls from one round to the next as long as it is in both: a subject that gave
/// way since the last round counts for `other` until that round has ended, lest it come back with a
/// lower count under the same name.
class FailureCounts {
 public:
  struct Entry {
    FailureSubject subject;
    std::uint64_t count = 0;
    bool was_shown = false;  ///< at the end of a round
  };

  /// At least one.
  explicit FailureCounts(std::size_t capacity) : capacity_(capacity) {}

  void add(const FailureSubject& subject) {
    if (const auto known = index_.find(subject); known != index_.end()) {
      entries_.splice(entries_.begin(), entries_, known->second);
      ++entries_.front().count;
    } else if (gave_way_.contains(subject)) {
      ++other_;
    } else {
      if (entries_.size() == capacity_) evict();
      entries_.push_front({subject, 1});
      index_.emplace(subject, entries_.begin());
    }
  }

  /// Takes over all that `previous` has counted, in place of what this one has; within its own
  /// capacity.
  void continue_from(FailureCounts previous) {
    const std::size_t capacity = capacity_;
    *this = std::move(previous);
    capacity_ = capacity;
    while (entries_.size() > capacity_) evict();
  }

  /// The entries are about to be shown.
  void end_round() {
    gave_way_.clear();
    for (Entry& entry : entries_) entry.was_shown = true;
  }

  /// The most recently seen one first.
  const std::list<Entry>& entries() const { return entries_; }
  std::uint64_t other() const { return other_; }

 private:
  struct Hash {
    std::size_t operator()(const FailureSubject& subject) const {
      constexpr std::hash<std::string> kHash;
      return KeyedHash()
          .add(subject.tuple.hash())
          .add(kHash(subject.netns))
          .add(kHash(subject.process))
          .value();
    }
  };

  void evict() {
    Entry& last = entries_.back();
    other_ += last.count;
    index_.erase(last.subject);
    if (last.was_shown) gave_way_.insert(std::move(last.subject));
    entries_.pop_back();
  }

  std::size_t capacity_;
  std::list<Entry> entries_;
  std::unordered_map<FailureSubject, std::list<Entry>::iterator, Hash> index_;
  std::unordered_set<FailureSubject, Hash> gave_way_;  ///< since the last round
  std::uint64_t other_ = 0;
};

}  // namespace timewait
