// Chooses a plan of the Pareto frontier.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct Objective {
  enum class Kind {
    time,      // The plan with the fastest iteration.
    cost,      // The plan with the cheapest iteration.
    weighted,  // The plan with the least cost_weight * dollars + time_weight * seconds of an iteration.
    deadline,  // The cheapest plan whose training takes at most `limit` seconds.
    budget     // The plan with the shortest training whose job costs at most `limit` dollars.
  };
  Kind kind = Kind::weighted;
  // If both are 0, the seconds of the fastest plan weigh as much as the dollars of the cheapest plan.
  double cost_weight = 0, time_weight = 0;
  double limit = 0;
};

// Parses "balanced" (the default weights), "time", "cost", "ALPHA1,ALPHA2" (the weights of dollars and of seconds),
// "deadline=SECONDS" or "budget=DOLLARS". Error: invalid_input.
Result<Objective> parse_objective(const std::string& text);

// The figures of a plan that objectives compare.
struct Outcome {
  Seconds iteration = 0;
  Dollars iteration_dollars = 0;
  Seconds training = 0;  // Of the whole job.
  Dollars dollars = 0;   // Of the whole job.
};

// Returns `objective` with its weights set if they are the default ones, which depend on `outcomes`.
Objective with_weights(Objective objective, const std::vector<Outcome>& outcomes);

// Returns the index of the outcome that the objective prefers, the first one of equals. `outcomes` is not empty.
// Error: invalid_input if none meets the deadline or the budget; the hint names the nearest one that can be met.
Result<std::size_t> choose(const std::vector<Outcome>& outcomes, const Objective& objective);

}  // namespace funcpipe
