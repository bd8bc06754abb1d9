// A plan is played for a few iterations before anything is promised of it: formulas know neither a store that refuses
// what comes all at once nor how long workers poll.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "planner/planner.h"

namespace funcpipe {

struct Rehearsal {
  PlayedIteration iteration;  // the median of the last ones, as the simulator plays them
  Prediction prediction;      // of the whole job, if all its iterations are like that
};

// Plays `point` as the simulator does by default: constant latencies, workers that poll, the platform's store. Errors:
// what ends such a job early (the store refuses a request too often); cancelled; timeout: playing takes longer
// than `limit` seconds of this machine.
Result<Rehearsal> rehearse(const PlanningTask& task, const Planning& planning, const PlannedPoint& point, Seconds limit,
                           const std::stop_token& stop = {});

struct RehearsedChoice {
  std::size_t chosen = 0;                            // of Planning::frontier
  std::vector<std::optional<Rehearsal>> rehearsals;  // of each of its plans, where it was played
  std::vector<std::optional<Error>> failures;        // of each: why it cannot be, or was not, played
  const std::optional<Rehearsal>& rehearsal() const { return rehearsals[chosen]; }
};

// The plan of `planning` that suits the task's objective best by what is played: the one that the formulas prefer is
// played, then the one that is best with that known, until the best one is one that was played. A plan whose job ends
// early is out. `limit`: seconds of this machine for all of it; what is not played until then counts by its formula
// where nothing that was played will do. Errors: invalid_input: nothing meets the deadline or the budget; every plan's
// job ends early; cancelled.
Result<RehearsedChoice> choose_by_rehearsal(const PlanningTask& task, const Planning& planning, Seconds limit,
                                            const std::stop_token& stop = {});

}  // namespace funcpipe
