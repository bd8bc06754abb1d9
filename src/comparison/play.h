// Simulates ("plays") a plan and gives the figures of an iteration, as predicted by the planner and as simulated.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "comparison/systems.h"
#include "simulator/plan_fleet.h"
#include "timeline/utilisation.h"

namespace funcpipe {

struct PlayedPlan {
  Plan plan;
  Seconds predicted_seconds = 0;
  Dollars predicted_dollars = 0;
  // The simulated median of the steady iterations, and the bill of one of them. The bill's share for start-up and for
  // the ends of lifetimes is that of the prediction.
  Seconds seconds = 0;
  Dollars dollars = 0;
  Seconds computing = 0;  // Predicted time of the busiest function's compute lane in an iteration.

  double product() const { return seconds * dollars; }
};

// In the first iterations workers learn when objects arrive, token buckets become empty and refused clients find their
// rate. Iterations [kFirstSteady, kEndSteady) are alike, or steady.
inline constexpr std::int64_t kFirstSteady = 10, kEndSteady = 13, kPlayedIterations = 14;
// Returns the median time of the three iterations before the last one.
Seconds steady_seconds(const SimulationResult& result);

// Returns the options of all simulations of the comparison: constant latencies, polling workers, and the store's limits
// unless `unlimited`.
Result<SimulationOptions> play_options(const Ground& ground, const Plan& plan, std::int64_t iterations,
                                       bool unlimited = false);

// Simulates a plan. Errors: those of plan_fleet() and simulate(), and the error that ends a job early, for example
// because the store refuses requests too often.
Result<PlayedPlan> play(const Ground& ground, int batch, const Proposal& proposal, std::stop_token stop);

// Returns where the time of a steady iteration goes, as the mean of all functions. Errors: those of play().
Result<Shares> shares_of(const Ground& ground, int batch, const Plan& plan, std::stop_token stop);

}  // namespace funcpipe
