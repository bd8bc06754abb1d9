// Decides whether a failed request to a cloud service is repeated, and after what pause. It sends nothing itself: the
// clients of the store and of the functions use it, and so does the simulator.
#pragma once

#include <cstdint>
#include <optional>

#include "base/units.h"

namespace funcpipe {

struct RetryPolicy {
  int tries = 10;  // The most tries of one request; 1 means that nothing is repeated.
  // The n-th pause (n = 1, 2, ...) is drawn evenly from 0 to min(first_delay * 2^(n-1), longest_delay). This is "full
  // jitter": M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
  Seconds first_delay = 0.05;
  Seconds longest_delay = 4;
  Seconds total = 60;  // No try begins later than this after the first one began.
  // Replaces `total` where an address of this machine refuses connections: a server that is not there will not start.
  Seconds total_loopback_refused = 2;
  // Each repeat takes one from the budget and each success gives back a tenth. A client whose budget is used up gives
  // up at the first failure, so that an overloaded service does not get more load.
  double budget = 200;
  std::uint64_t seed = 0;  // Seed of the jitter; 0 gives each client another one.
};

// Returns the pause after `tries_done` failed tries. `random` is 64 random bits.
Seconds backoff(const RetryPolicy& policy, int tries_done, std::uint64_t random);

struct FailedTries {
  int count = 1;
  Seconds elapsed = 0;      // Time since the first try began.
  Seconds limit = 0;        // No further try begins later than this after the first one.
  bool any_number = false;  // Ignores RetryPolicy::tries: only the limit ends the tries.
  Seconds asked_pause = 0;  // Pause that the service asked for; it is added to the jittered one.
  std::uint64_t random = 0;
};

// Counts the repeats of one client against its budget. Not thread-safe.
class Repeats {
 public:
  explicit Repeats(const RetryPolicy& policy)
      : policy_(policy), budget_tenths_(static_cast<std::int64_t>(policy.budget * 10)) {}

  // Returns the pause before the next try and takes one from the budget; nullopt if the client has to give up.
  std::optional<Seconds> pause_after(const FailedTries& tries);
  void succeeded();

 private:
  RetryPolicy policy_;
  std::int64_t budget_tenths_;
};

}  // namespace funcpipe
