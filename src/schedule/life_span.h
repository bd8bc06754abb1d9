// Decides how long a function plays iterations before it hands over to a new invocation. A hand-over is a snapshot that
// the next invocation loads. The worker and the simulator share this policy. All times are seconds of the platform.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// The time it takes to replace a function.
struct HandOver {
  Seconds save = 0;  // Saving a snapshot.
  Seconds load = 0;  // From the start of the next function to its first operation.
};

// What the time of a hand-over is predicted from before one was measured.
struct HandOverWork {
  double bytes = 0;                         // Size of the snapshot: parameters, optimiser state, buffers.
  BytesPerSecond uplink = 0, downlink = 0;  // 0 or infinity: transfers take no time.
  Seconds put = 0, get = 0;                 // Latencies of a request.
  double vcpus = 1;                         // 0: not known; counts as 1.
};
HandOver expected_hand_over(const HandOverWork& work);
// Returns the time of computing in it: of serialising `bytes`, or of parsing them. More than one vCPU does not help.
Seconds packing_seconds(double bytes, double vcpus);
// Returns the larger of both in each field.
HandOver longest(const HandOver& a, const HandOver& b);

// What is known when a life begins. A life is one invocation of a worker's function.
struct LifeForecast {
  HandOver hand_over;      // The longest of any worker, since a peer that is replaced delays an iteration so long.
  bool alone = true;       // There are no other workers.
  Seconds iteration = 0;   // The slowest recent iteration of earlier lives; 0 if none was measured.
  Seconds validation = 0;  // The last validation of earlier lives; 0 if none was measured.
};

// A worker plays iterations in chunks: it cannot stop inside a chunk, and its lanes run empty between two. A chunk
// takes at most half of the time that is left until the deadline after a margin, if iterations take as long as the
// slowest recent one. The margin is two such iterations, 1.25 times the snapshot, the replacement of a peer if there
// are peers, and a twentieth of the lifetime (at least 0.5 s, at most 10 s). So chunks get shorter toward the deadline,
// and a peer may stall for the other half without harm. Workers have about the same margin and hand over at about the
// same iteration. Not thread-safe.
class LifeSpan {
 public:
  LifeSpan(Seconds now, Seconds deadline, const LifeForecast& known);  // `deadline` may be infinite.

  // Takes over what former lives have measured; 0 means nothing.
  void remember(Seconds iteration, Seconds validation);
  void iteration_took(Seconds seconds);
  void validation_took(Seconds seconds);
  void snapshot_took(Seconds seconds);

  // Returns how many iterations to play before the next call; 0 means to hand over now. A life that has done nothing
  // yet plays at least one.
  std::int64_t chunk(Seconds now) const;

  // Returns whether something that takes `seconds` ends before the margin begins.
  bool fits(Seconds now, Seconds seconds) const;
  // Returns whether to begin a validation now. `guess` is its time if none was measured. A life that has done nothing
  // yet begins it in any case.
  bool may_validate(Seconds now, Seconds guess) const;

  bool has_deadline() const;
  Seconds lifetime() const { return lifetime_; }
  // These two are for the forecast of the next life.
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

// Checks that lives of `lifetime` make progress: each has to load a snapshot, work for at least `work` seconds (0 if
// not known) and save a snapshot, with some slack. `what` names the work. Error: invalid_input, with the figures and a
// way out, without a place.
Result<> check_lifetime(Seconds lifetime, const HandOver& hand_over, Seconds work,
                        std::string_view what = "one iteration");

}  // namespace funcpipe
