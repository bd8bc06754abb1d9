// How much of a function's lifetime is left, in iterations.
#pragma once

#include <cstdint>
#include <deque>

#include "base/units.h"

namespace funcpipe {

// A worker plays iterations in chunks: it cannot stop inside one, and between two the lanes drain. So a chunk takes at
// most half of the time that is left (at the pace of the slowest recent iteration) beyond a margin of three such
// iterations, two snapshots and a twentieth of the lifetime, at most 10 s. Chunks shrink toward the deadline, and a
// stall of a peer as long as the other half does no harm.
class LifeSpan {
 public:
  LifeSpan(Seconds now, Seconds deadline);  // deadline may be infinite

  void iteration_took(Seconds seconds);
  void snapshot_took(Seconds seconds);

  // Iterations to play before the next look; 0: save a snapshot now and go. Before an iteration was measured: 1.
  std::int64_t chunk(Seconds now) const;

  // Whether something of `seconds` fits before the margin.
  bool fits(Seconds now, Seconds seconds) const;

  Seconds slowest_iteration() const;

 private:
  Seconds margin() const;

  Seconds deadline_;
  Seconds lifetime_;
  std::deque<Seconds> recent_;
  Seconds snapshot_ = 0;
};

}  // namespace funcpipe
