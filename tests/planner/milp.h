// The planner's problem as mixed-integer linear programs for a solver that shares nothing with the search (CBC).
#pragma once

#include <optional>
#include <vector>

#include "planner/frontier_search.h"

namespace funcpipe {

// All plans of one configuration. There is a binary for every stage a plan could have (first layer, end, function
// size); chosen stages form a path from the first layer to the last. A maximum over the stages from a layer on is a
// variable of that layer: at least the next layer's, and at least what the stage that starts there has, if one does.
// Where none starts, the row that bounds the period from that layer on is implied by that of the stage around it, so no
// big constants are needed.
class PlanProgram {
 public:
  // `candidate`: chain and configuration; no stages. Keeps references.
  PlanProgram(const std::vector<Chain>& chains, const Accounting& accounting, Candidate candidate);

  // The plan of least period among those whose dollars, were their period `period`, are at most `dollars`: a linear
  // bound. nullopt: there is none. Aborts if the solver gives up.
  std::optional<Candidate> fastest(Seconds period, Dollars dollars) const;

  int binaries() const { return static_cast<int>(stages_.size()); }

 private:
  struct Stage {
    int first = 0, end = 0, option = 0;
    StageCost cost;
  };

  const Chain& chain_;
  SpanTable spans_;
  Accounting accounting_;
  Candidate candidate_;
  double more_ = 0;
  std::vector<Stage> stages_;
};

struct MilpStatistics {
  int solved = 0, most_binaries = 0;
};

// The frontier, each point the answer of a program: after each plan found, the fastest one that could still be cheaper.
// A plan slower than the last one costs at least what it would at the last one's period, so none is missed.
Frontier milp_frontier(const std::vector<Chain>& chains, const SearchSpace& space, MilpStatistics& statistics);

}  // namespace funcpipe
