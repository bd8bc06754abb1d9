// Plays a Program for real: threads drive a PlayState (schedule/play_state.h), which says what may run when; the
// simulator drives the same one with events. Needs no libtorch; what an operation does is the Executor's.
//
// Threads: the caller's for the compute lane, `width` more each for download and upload.
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
  // Does operation `op` (index in Program::ops) of `iteration`; its dependencies are done. Called from lane threads:
  // compute operations one at a time, transfers several at once. Returns soon after `stop` is requested.
  virtual Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) = 0;
};

// Plays iterations [first, end) and returns when every operation is done, or with the first error (or cancelled) after
// stopping the other lanes. An error without a place gets the worker, iteration and operation as its place; an
// exception out of the executor becomes an error of code failed.
Result<> play(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, LaneWidths widths,
              Clock& clock, std::stop_token stop = {}, const OpObserver& observe = {});

}  // namespace funcpipe
