// The queue of future events in virtual time. It is a 4-ary heap, whose operations touch fewer cache lines than those
// of a binary one. Events of equal time come in the order of Moment::order, so a simulation is a function of its input.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/units.h"

namespace funcpipe {

// The time of an event. Of two events at the same time the one with the smaller `order`, which was planned first, comes
// first.
struct Moment {
  Seconds time = 0;
  std::uint64_t order = 0;
  bool operator<(const Moment& other) const { return time < other.time || (time == other.time && order < other.order); }
};

struct Event {
  Moment when;
  std::uint32_t kind = 0;
  std::uint32_t subject = 0;
};

class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  const Event& top() const { return heap_.front(); }

  void push(const Event& event) {
    std::size_t hole = heap_.size();
    heap_.push_back(event);
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / kArity;
      if (!(event.when < heap_[parent].when)) break;
      heap_[hole] = heap_[parent];
      hole = parent;
    }
    heap_[hole] = event;
  }

  void pop() {
    const Event last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return;
    std::size_t hole = 0;
    while (true) {
      const std::size_t first = hole * kArity + 1;
      if (first >= size) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < std::min(first + kArity, size); ++child)
        if (heap_[child].when < heap_[least].when) least = child;
      if (!(heap_[least].when < last.when)) break;
      heap_[hole] = heap_[least];
      hole = least;
    }
    heap_[hole] = last;
  }

 private:
  static constexpr std::size_t kArity = 4;
  std::vector<Event> heap_;
};

}  // namespace funcpipe
