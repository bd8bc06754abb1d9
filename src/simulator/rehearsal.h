// Rehearsal: before the planner promises anything about a plan, the plan is simulated ("played") for a few iterations.
// The planner's formulas do not know of a store that refuses requests which come all at once, nor of polling.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "planner/planner.h"

namespace funcpipe {

struct Rehearsal {
  PlayedIteration iteration;  // The median time, and the mean requests, of the last iterations but one.
  Prediction prediction;      // Of the whole job, if all its iterations are like that.
};

// Simulates `point` with constant latencies, polling workers and the platform's store. Errors: the error that ends such
// a job early, for example because the store refuses a request too often; cancelled; timeout if the simulation takes
// longer than `limit` seconds of wall time.
Result<Rehearsal> rehearse(const PlanningTask& task, const Planning& planning, const PlannedPoint& point, Seconds limit,
                           const std::stop_token& stop = {});

struct RehearsedChoice {
  std::size_t chosen = 0;                            // Index in Planning::frontier.
  std::vector<std::optional<Rehearsal>> rehearsals;  // By plan of the frontier; nullopt if it was not played.
  std::vector<std::optional<Error>> failures;        // By plan: why playing it failed, or why there was no time for it.
  const std::optional<Rehearsal>& rehearsal() const { return rehearsals[chosen]; }
};

// Chooses the plan of `planning` that the task's objective prefers by played figures. It plays the plan that is best so
// far, replaces that plan's predicted figures by the played ones, and repeats this until the best plan is one that was
// played. A plan whose job ends early is excluded. `limit` is the wall time for all of this; plans that could not be
// played by then keep their predicted figures. Errors: invalid_input if no plan meets the deadline or the budget; the
// first plan's error if every plan's job ends early; cancelled.
Result<RehearsedChoice> choose_by_rehearsal(const PlanningTask& task, const Planning& planning, Seconds limit,
                                            const std::stop_token& stop = {});

}  // namespace funcpipe
