// A plan, a profile and a platform as the simulator's numbers: the planner's seconds for each operation, so that both
// speak of the same stages, and what the real worker reads and writes besides.
#pragma once

#include <stop_token>
#include <vector>

#include "planner/planner.h"
#include "simulator/simulation.h"

namespace funcpipe {

struct PlanFleet {
  Prediction prediction;  // the planner's
  // false: the planner has no formula for the plan's order, or for a parameter server; it is gpipe's, or three-phase's.
  bool predicted = true;
  std::vector<Program> programs;  // by rank, if they were to be kept
  bool proven = true;             // the programs are proven sound together; false: too many to prove
  SimulatedFleet fleet;
};

// Of `task`: profile, platform, state, accounting.iterations, connections. Errors: invalid_input, as judge()
// (planner/planner.h), or of server_of() (plan/plan.h); cancelled.
Result<PlanFleet> plan_fleet(const PlanningTask& task, const Plan& plan, bool keep_programs,
                             const std::stop_token& stop = {});

// The platform's store, as long as nothing else is said. Of a plan with a parameter server: that of platform_for().
// `drawn`: latencies are drawn. Errors: invalid_input, if the platform's percentiles are not known.
Result<StoreModel> store_model(const Platform& platform, bool drawn);

}  // namespace funcpipe
