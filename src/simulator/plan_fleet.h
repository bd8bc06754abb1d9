// Turns a plan, a profile and a platform into a fleet for the simulator. Each operation takes the planner's seconds, so
// that planner and simulator agree, and workers read and write what real ones do.
#pragma once

#include <stop_token>
#include <vector>

#include "planner/planner.h"
#include "simulator/simulation.h"

namespace funcpipe {

struct PlanFleet {
  Prediction prediction;
  // false: the planner has no formula for the plan's pipeline order or for a parameter server, and `prediction` is for
  // gpipe order or three-phase synchronisation instead.
  bool predicted = true;
  std::vector<Program> programs;  // By rank, if keep_programs was set.
  bool proven = true;             // The checker has proven the programs sound; false: there are too many operations.
  SimulatedFleet fleet;
};

// Makes the fleet of a plan. Of `task` it uses the profile, the platform, the state, the accounting and the
// connections. Errors: those of judge() (planner/planner.h), of server_of() (schedule/validate.h) and of the checker;
// cancelled.
Result<PlanFleet> plan_fleet(const PlanningTask& task, const Plan& plan, bool keep_programs,
                             const std::stop_token& stop = {});

// Returns the store of a platform. For a plan with a parameter server the platform is that of platform_for(). `drawn`
// draws latencies at random; otherwise they are the medians. Error: invalid_input if they are to be drawn and the
// platform's percentiles are not known.
Result<StoreModel> store_model(const Platform& platform, bool drawn);

}  // namespace funcpipe
