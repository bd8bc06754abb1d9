#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "catalog/platform.h"
#include "plan/plan.h"
#include "simulator/plan_fleet.h"

namespace funcpipe {

// What `funcpipe simulate` has to say.
struct SimulationReport {
  const Plan& plan;
  const Platform& platform;
  const PlanFleet& fleet;
  const SimulationResult& result;
};

// Seconds of an iteration, what bounds it, how busy each stage's lanes are, the bill; why it ended early, if it did.
std::string simulation_report(const SimulationReport& report, int width);
nlohmann::json simulation_report_json(const SimulationReport& report);

}  // namespace funcpipe
