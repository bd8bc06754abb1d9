// How long to wait before a failed request to a cloud service is repeated: what the store's and the functions' clients
// do, and the simulator.
#pragma once

#include <cstdint>

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

}  // namespace funcpipe
