// Lower bounds, for one configuration, on the time and dollars of the stages before a label. A label is a partial plan:
// the stages from some layer to the last (planner/label_set.h). docs/algorithms.md, "Planning".
#pragma once

#include <vector>

#include "planner/frontier.h"
#include "planner/stage_cost.h"

namespace funcpipe {

// A possible stage: layers [first, end) on the function size with index `option`.
struct StageChoice {
  int first = 0, end = 0, option = 0;
  StageCost cost;
};

// To place layers is to divide them into stages with function sizes. In a list of bounds by ascending rate, every
// placement whose rate is less than the next bound's has at least this bound's sum and pace.
struct PlacementBound {
  double rate = 0;   // Dollars a second.
  Seconds sum = 0;   // Sum of the passages, and of the first stage's tail.
  Seconds pace = 0;  // Slowest lane forward plus slowest lane backward.
};

// Return the pace of the slowest lane of a stage in one direction.
Seconds forward_pace(const StageCost& stage);
Seconds backward_pace(const StageCost& stage);

class Bounds {
 public:
  // `choices` are all stages that a plan of the Pareto frontier may use, by ascending `first`. `more` is the number of
  // micro-batches beyond the first. `resolution` is the number of bits of a rate's mantissa that are told apart; finer
  // bounds are tighter and take longer. `floor` is the least pace (F + B, docs/algorithms.md) of a whole plan; a plan
  // with a smaller one counts as if it had this. A plan that improves on the frontier by no more than the share
  // `slack`, in time and in dollars, is not promising.
  Bounds(int layers, const std::vector<StageChoice>& choices, double more, int resolution, Seconds floor = 0,
         double slack = 0);

  // Returns whether some completion of `label`, whose first layer is `first`, may belong on `frontier`. false is
  // certain.
  bool promising(const Suffix& label, int first, const Frontier& frontier) const;
  // Returns whether some plan that contains `choice` may belong on `frontier`. false is certain.
  bool promising(const StageChoice& choice, const Frontier& frontier) const;

  // Returns a lower bound on the period of every completion of `label`.
  Seconds least_period(const Suffix& label, int first) const;
  // Returns an upper bound on the store use of every placement of the layers before `first`.
  const StoreUse& most_store_before(int first) const { return most_store_[first]; }
  // Return lower bounds on the pace of a stage that ends before layer `first`.
  Seconds next_forward_pace(int first) const { return next_forward_pace_[first]; }
  Seconds next_backward_pace(int first) const { return next_backward_pace_[first]; }
  bool feasible() const { return !before_.bounds.back().empty(); }
  // Return lower bounds for all plans. Require feasible().
  Seconds least_pace() const { return before_.bounds.back().back().pace; }
  Seconds least_period() const { return least_period(Suffix{}, static_cast<int>(before_.bounds.size()) - 1); }

 private:
  double more_;
  Seconds floor_;
  double reach_;  // 1 + slack
  // Least figures of placements. Element i is for layers [0, i) in before_, and for [i, L) in after_.
  struct Side {
    std::vector<std::vector<PlacementBound>> bounds;  // Ascending rate, descending sum and pace; empty if impossible.
    std::vector<Dollars> fixed;
    std::vector<StoreUse> store;  // Each of its figures by itself.
  };
  Side before_, after_;
  std::vector<StoreUse> most_store_;                   // [i]: for layers [0, i).
  std::vector<Seconds> forward_pace_, backward_pace_;  // [i]: least slowest lane of any placement of layers [0, i).
  std::vector<Seconds> next_forward_pace_, next_backward_pace_;
};

}  // namespace funcpipe
