// Plays a Program with threads. A PlayState (schedule/play_state.h) says what may run when; the simulator drives the
// same class with events. An Executor carries out the operations, so this file needs no libtorch.
//
// The caller's thread plays the compute lane. The download and upload lanes have `width` threads each.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/clock.h"
#include "base/error.h"
#include "schedule/op_event.h"
#include "schedule/play_state.h"
#include "schedule/program.h"

namespace funcpipe {

class Executor {
 public:
  virtual ~Executor() = default;
  // Carries out operation `op` (at `index` in Program::ops) of `iteration`. All it depends on is done. Called from the
  // lanes' threads: compute operations one at a time, several transfers at once. Must return soon after `stop` is
  // requested.
  virtual Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) = 0;
};

// Plays iterations [first, end). Returns when all operations are done, or after the first error, for which all lanes
// are stopped. An error without a place gets worker, iteration and operation as its place. An exception from the
// executor becomes an error with code failed. A stop gives cancelled.
Result<> play(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, LaneWidths widths,
              Clock& clock, std::stop_token stop = {}, const OpObserver& observe = {});

}  // namespace funcpipe
