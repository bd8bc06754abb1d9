// Whether a failed request to a cloud service is repeated, and how long to wait before: the decision alone, for the
// store's and the functions' clients, and for the simulator.
#pragma once

#include <cstdint>
#include <optional>

#include "base/units.h"

namespace funcpipe {

struct RetryPolicy {
  int tries = 10;              // in all; 1: never repeat
  Seconds first_delay = 0.05;  // the n-th delay is drawn evenly from 0 to first_delay * 2^n ...
  Seconds longest_delay = 4;   // ... or to this (full jitter)
  Seconds total = 60;          // no try begins later than this after the first
  // The same while the address refuses connections and is on this machine: nobody is going to start there.
  Seconds total_loopback_refused = 2;
  // How many requests of one client may be repeated in a burst before it gives up at the first failure, so that an
  // overloaded service does not get more load: each repeat takes one, each success gives back a tenth.
  double budget = 200;
  std::uint64_t seed = 0;  // of the jitter; 0: another one for each client
};

// After `tries_done` tries; `random`: 64 random bits.
Seconds backoff(const RetryPolicy& policy, int tries_done, std::uint64_t random);

struct FailedTries {
  int count = 1;
  Seconds elapsed = 0;      // since the first began
  Seconds limit = 0;        // no further one begins later than this after the first
  bool any_number = false;  // the limit alone ends them
  Seconds asked_pause = 0;  // that the service wants besides
  std::uint64_t random = 0;
};

// The repeats of one client. Not thread-safe.
class Repeats {
 public:
  explicit Repeats(const RetryPolicy& policy)
      : policy_(policy), budget_tenths_(static_cast<std::int64_t>(policy.budget * 10)) {}

  // The pause before the next try, which takes one of the budget; nullopt: there is none.
  std::optional<Seconds> pause_after(const FailedTries& tries);
  void succeeded();

 private:
  RetryPolicy policy_;
  std::int64_t budget_tenths_;
};

}  // namespace funcpipe
