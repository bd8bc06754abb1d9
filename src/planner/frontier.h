// The cost/time frontier: candidates of which none is both faster and cheaper than another.
#pragma once

#include <vector>

#include "planner/configuration.h"
#include "planner/stage_cost.h"

namespace funcpipe {

// A plan in the planner's terms. Stage k holds layers [ends[k-1], ends[k]) on options[k].
struct Candidate {
  int chain = 0;  // which micro-batch size
  Configuration configuration;
  std::vector<int> ends, options;
  Seconds period = 0;   // of an iteration in steady state
  Dollars dollars = 0;  // of an iteration, start-up spread over all of them
  bool operator==(const Candidate&) const = default;
};

class Frontier {
 public:
  struct Price {
    Seconds period;
    Dollars dollars;
  };
  // Periods that differ by less than rounding are the same.
  static constexpr double kTolerance = 1e-9;

  // Cheapest known within `period`; infinity: none.
  Dollars cheapest_within(Seconds period) const;
  // The same for periods that are asked about in ascending order: O(points) for all of them together.
  class Walk {
   public:
    explicit Walk(const Frontier& frontier) : prices_(frontier.prices_) {}
    bool admits(Seconds period, Dollars dollars) {
      while (next_ < prices_.size() && prices_[next_].period <= period * (1 + kTolerance)) ++next_;
      return next_ == 0 || dollars < prices_[next_ - 1].dollars;
    }

   private:
    const std::vector<Price>& prices_;
    std::size_t next_ = 0;
  };
  bool admits(Seconds period, Dollars dollars) const { return dollars < cheapest_within(period * (1 + kTolerance)); }
  // Keeps `candidate` unless one there is at least as fast and as cheap, and drops those it beats.
  void add(Candidate candidate);
  const std::vector<Candidate>& points() const { return points_; }  // fastest first, so dearest first

 private:
  std::vector<Candidate> points_;
  std::vector<Price> prices_;  // of the points, close together: they are looked at all the time
};

}  // namespace funcpipe
