// How long a function plays before it hands over: the policy alone, for the worker and for the simulator. All seconds
// are the platform's.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// What it takes to replace a function.
struct HandOver {
  Seconds save = 0;  // to store a snapshot
  Seconds load = 0;  // from the next function's start to its first operation
};

// Foretells it before one was measured.
struct HandOverWork {
  double bytes = 0;  // of the snapshot: parameters, optimiser state, buffers
  BytesPerSecond uplink = 0, downlink = 0;
  Seconds put = 0, get = 0;  // latencies
  double vcpus = 1;          // 0: not known
};
HandOver expected_hand_over(const HandOverWork& work);
// Seconds of computing in it: to put `bytes` together, or to take them apart.
Seconds packing_seconds(double bytes, double vcpus);
HandOver longest(const HandOver& a, const HandOver& b);

// What is known when a life begins.
struct LifeForecast {
  HandOver hand_over;      // the longest of any worker: a peer that is replaced holds an iteration up so long
  bool alone = true;       // there are no peers
  Seconds iteration = 0;   // the slowest of those before it; 0: none was measured
  Seconds validation = 0;  // likewise
};

// A worker plays iterations in chunks: it cannot stop inside one, and between two the lanes drain. So a chunk takes at
// most half of the time that is left (at the pace of the slowest recent iteration) beyond a margin. The margin has two
// such iterations, the snapshot and a quarter of it more, the replacement of a peer, and a twentieth of the lifetime,
// at least half a second and at most ten. Chunks shrink toward the deadline, and a stall of a peer as long as the other
// half does no harm. All workers have the same margin, so they hand over at about the same iteration.
class LifeSpan {
 public:
  LifeSpan(Seconds now, Seconds deadline, const LifeForecast& known);  // deadline may be infinite

  // What former lives have measured; 0: nothing.
  void remember(Seconds iteration, Seconds validation);
  void iteration_took(Seconds seconds);
  void validation_took(Seconds seconds);
  void snapshot_took(Seconds seconds);

  // Iterations to play before the next look; 0: save a snapshot now and go. A life that has done nothing yet plays one.
  std::int64_t chunk(Seconds now) const;

  // Whether something of `seconds` fits before the margin.
  bool fits(Seconds now, Seconds seconds) const;
  // Whether a validation should begin; of one that was never measured `guess` is the length. A life that has done
  // nothing yet begins it anyway.
  bool may_validate(Seconds now, Seconds guess) const;

  bool has_deadline() const;
  Seconds lifetime() const { return lifetime_; }
  // For the forecast of the next life.
  Seconds slowest_iteration() const;
  Seconds validation() const { return known_.validation; }

 private:
  Seconds margin() const;

  Seconds deadline_;
  Seconds lifetime_;
  LifeForecast known_;
  std::deque<Seconds> recent_;
  bool worked_ = false;
};

// Whether lives of `lifetime` get on at all: each loads, does some work (at least `work` seconds; 0: not known) and
// saves a snapshot, with room for jitter. `what`: the work in words. Error: invalid_input, with the figures and the way
// out; the place is the caller's.
Result<> check_lifetime(Seconds lifetime, const HandOver& hand_over, Seconds work,
                        std::string_view what = "one iteration");

}  // namespace funcpipe
