// The record of one executed operation. The worker's player makes it for real operations, the simulator for those in
// virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"

namespace funcpipe {

// Times are seconds on the clock of whoever executes the operation.
struct OpEvent {
  int op = 0;  // Index in Program::ops.
  std::int64_t iteration = 0;
  Seconds ready = 0;  // Its last dependency was met.
  Seconds start = 0;
  Seconds end = 0;
  Seconds cpu = 0;               // CPU seconds of the thread that ran it.
  std::optional<Seconds> asked;  // If it downloads another worker's object: the request that found it was sent.
  bool operator==(const OpEvent&) const = default;
};

// Called for every executed operation, never twice at once, and before anything that depends on the operation runs.
using OpObserver = std::function<void(const OpEvent&)>;

}  // namespace funcpipe
