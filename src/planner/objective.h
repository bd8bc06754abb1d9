// Which plan of the Pareto frontier is wanted.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct Objective {
  enum class Kind {
    time,      // the fastest
    cost,      // the cheapest
    weighted,  // least cost_weight * dollars + time_weight * seconds, of an iteration
    deadline,  // the cheapest whose training takes at most `limit` seconds
    budget     // the fastest whose job costs at most `limit` dollars
  };
  Kind kind = Kind::weighted;
  // The default weights the fastest plan's seconds and the cheapest plan's dollars alike (both 0).
  double cost_weight = 0, time_weight = 0;
  double limit = 0;
};

// "time", "cost", "ALPHA1,ALPHA2", "deadline=SECONDS", "budget=DOLLARS"; "balanced" is the default.
// Errors: invalid_input.
Result<Objective> parse_objective(const std::string& text);

// What an objective looks at in a plan.
struct Outcome {
  Seconds iteration = 0;
  Dollars iteration_dollars = 0;
  Seconds training = 0;  // the whole job
  Dollars dollars = 0;
};

// `objective` with the weights that its default stands for among `outcomes`.
Objective with_weights(Objective objective, const std::vector<Outcome>& outcomes);

// Which one; of equals the first. `outcomes` has at least one. Errors: invalid_input: none meets the deadline or the
// budget; with the nearest that exists.
Result<std::size_t> choose(const std::vector<Outcome>& outcomes, const Objective& objective);

}  // namespace funcpipe
