// A plan with the figures of an iteration: by the planner's arithmetic, and as the simulator plays it.
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
  // The median of the steady iterations, and the bill of one of them with its share of start-up and
  // lifetimes' ends (which the planner counts).
  Seconds seconds = 0;
  Dollars dollars = 0;
  Seconds computing = 0;  // of an iteration, on the busiest function's compute lane

  double product() const { return seconds * dollars; }
};

// Workers learn when objects arrive, buckets empty and refused clients find their rate; then iterations are alike.
inline constexpr std::int64_t kFirstSteady = 10, kEndSteady = 13, kPlayedIterations = 14;
Seconds steady_seconds(const SimulationResult& result);  // median of the three iterations before the last

// The simulator as the comparison has it: constant latencies, workers that poll, the store's limits unless `unlimited`.
Result<SimulationOptions> play_options(const Ground& ground, const Plan& plan, std::int64_t iterations,
                                       bool unlimited = false);

// Errors: as plan_fleet() and simulate(); what ends a job early (a store that refuses requests too often) is one too.
Result<PlayedPlan> play(const Ground& ground, int batch, const Proposal& proposal, std::stop_token stop);

// Where the time of a steady iteration goes, of all workers on average.
Result<Shares> shares_of(const Ground& ground, int batch, const Plan& plan, std::stop_token stop);

}  // namespace funcpipe
