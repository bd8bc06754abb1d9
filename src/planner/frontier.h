// The cost/time frontier: candidates of which none is both faster and cheaper than another.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
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
  bool admits(Seconds period, Dollars dollars) const { return dollars < cheapest_within(period * (1 + kTolerance)); }
  // True wherever `admits` is, and seldom elsewhere: by a table, for what is asked millions of times.
  bool may_admit(Seconds period, Dollars dollars) const {
    return ceilings_.empty() || dollars < ceilings_[slot(period)];
  }
  // Keeps `candidate` unless one there is at least as fast and as cheap, and drops those it beats.
  void add(Candidate candidate);
  const std::vector<Candidate>& points() const { return points_; }  // fastest first, so dearest first

 private:
  // Slots are steps of floating-point numbers.
  static constexpr int kMantissaBits = 10, kOctaves = 8;
  static constexpr std::uint64_t kSlots = std::uint64_t{kOctaves} << kMantissaBits;
  static std::uint64_t step(Seconds period) { return std::bit_cast<std::uint64_t>(period) >> (52 - kMantissaBits); }
  std::uint64_t slot(Seconds period) const {
    const std::uint64_t at = step(period);
    return std::min(at - std::min(first_step_, at), kSlots - 1);
  }

  void lower_ceilings(const Price& price);

  std::vector<Dollars> ceilings_;  // [slot]: the cheapest within the slot's least period
  std::uint64_t first_step_ = 0;
  std::vector<Candidate> points_;
  std::vector<Price> prices_;  // of the points, close together: they are looked at all the time
};

}  // namespace funcpipe
