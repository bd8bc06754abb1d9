// The Pareto frontier of time and cost: candidates (plans) none of which is as fast and as cheap as another.
// Not thread-safe.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "planner/configuration.h"
#include "planner/stage_cost.h"

namespace funcpipe {

// A plan as the planner represents it. Stage k holds layers [ends[k-1], ends[k]) on function size options[k].
struct Candidate {
  int chain = 0;  // Index of the chain; there is one for each micro-batch size.
  Configuration configuration;
  std::vector<int> ends, options;
  Seconds period = 0;   // Time of an iteration in steady state.
  Dollars dollars = 0;  // Cost of an iteration, with its part of the cost of start-up.
  bool operator==(const Candidate&) const = default;
};

class Frontier {
 public:
  struct Price {
    Seconds period;
    Dollars dollars;
  };
  // Periods whose relative difference is at most this count as equal, because it may come from rounding.
  static constexpr double kTolerance = 1e-9;

  // Returns the least dollars of a point whose period is at most `period`; infinity if there is none.
  Dollars cheapest_within(Seconds period) const;
  // Returns whether no point is as fast and as cheap.
  bool admits(Seconds period, Dollars dollars) const { return dollars < cheapest_within(period * (1 + kTolerance)); }
  // Returns true whenever admits() does, and seldom otherwise. It looks into a table and is faster; the search calls it
  // millions of times.
  bool may_admit(Seconds period, Dollars dollars) const {
    return ceilings_.empty() || dollars < ceilings_[slot(period)];
  }
  // Adds `candidate` unless some point is as fast and as cheap, and removes the points that it beats.
  void add(Candidate candidate);
  const std::vector<Candidate>& points() const { return points_; }  // By ascending period and descending dollars.

 private:
  // A slot of the table holds all periods with the same exponent and leading bits of mantissa.
  static constexpr int kMantissaBits = 10, kOctaves = 8;
  static constexpr std::uint64_t kSlots = std::uint64_t{kOctaves} << kMantissaBits;
  static std::uint64_t step(Seconds period) { return std::bit_cast<std::uint64_t>(period) >> (52 - kMantissaBits); }
  std::uint64_t slot(Seconds period) const {
    const std::uint64_t at = step(period);
    return std::min(at - std::min(first_step_, at), kSlots - 1);
  }

  void lower_ceilings(const Price& price);

  std::vector<Dollars> ceilings_;  // [slot]: the least dollars within the slot's least period.
  std::uint64_t first_step_ = 0;
  std::vector<Candidate> points_;
  std::vector<Price> prices_;  // Those of the points, held together because they are read all the time.
};

}  // namespace funcpipe
