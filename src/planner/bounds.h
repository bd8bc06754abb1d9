// Lower bounds on what the stages before a label must still cost, of one configuration.
#pragma once

#include <vector>

#include "planner/frontier.h"
#include "planner/stage_cost.h"

namespace funcpipe {

// A stage a plan may have: layers [first, end) on `option`.
struct StageChoice {
  int first = 0, end = 0, option = 0;
  StageCost cost;
};

// Placing some layers at a rate below the next bound's takes at least this much.
struct PlacementBound {
  double rate = 0;   // dollars a second
  Seconds sum = 0;   // of passages, and the first stage's tail
  Seconds pace = 0;  // slowest lane forward and slowest backward together
};

// Slowest lane of each direction.
Seconds forward_pace(const StageCost& stage);
Seconds backward_pace(const StageCost& stage);

class Bounds {
 public:
  // `choices`: every stage that a plan of the Pareto frontier may use, ascending `first`. `resolution`: rates are told
  // apart to 2^-resolution; finer bounds are tighter and take longer. `floor`: a whole plan is paced by at least so
  // much (F + B, docs/algorithms.md), or counts as if it were. `slack`: what improves on the frontier by no more than
  // this share, in time and in dollars, is not promising.
  Bounds(int layers, const std::vector<StageChoice>& choices, double more, int resolution, Seconds floor = 0,
         double slack = 0);

  // The best period and dollars any completion of `label`, whose first layer is `first`, could have are not both
  // reached by `frontier` at every trade-off: worth extending.
  bool promising(const Suffix& label, int first, const Frontier& frontier) const;
  // The same of all plans with `choice` in them.
  bool promising(const StageChoice& choice, const Frontier& frontier) const;

  // No completion of `label` has a smaller period.
  Seconds least_period(const Suffix& label, int first) const;
  // No way to place the layers before `first` asks for more of the store.
  const StoreUse& most_store_before(int first) const { return most_store_[first]; }
  // No stage that ends before layer `first` has a smaller pace.
  Seconds next_forward_pace(int first) const { return next_forward_pace_[first]; }
  Seconds next_backward_pace(int first) const { return next_backward_pace_[first]; }
  bool feasible() const { return !before_.bounds.back().empty(); }
  // Of any plan, if there is one.
  Seconds least_pace() const { return before_.bounds.back().back().pace; }
  Seconds least_period() const { return least_period(Suffix{}, static_cast<int>(before_.bounds.size()) - 1); }

 private:
  double more_;
  Seconds floor_;
  double reach_;                                      // 1 + slack
  struct Side {                                       // [i]: of layers [0, i), or of [i, L)
    std::vector<std::vector<PlacementBound>> bounds;  // ascending rate, so descending sum and pace; empty: impossible
    std::vector<Dollars> fixed;                       // least
    std::vector<StoreUse> store;                      // least of each
  };
  Side before_, after_;
  std::vector<StoreUse> most_store_;                   // [i]: of layers [0, i)
  std::vector<Seconds> forward_pace_, backward_pace_;  // [i]: least slowest lane of any way to place layers [0, i)
  std::vector<Seconds> next_forward_pace_, next_backward_pace_;
};

}  // namespace funcpipe
