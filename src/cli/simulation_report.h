#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "catalog/platform.h"
#include "plan/plan.h"
#include "simulator/plan_fleet.h"

namespace funcpipe {

// What `funcpipe simulate` reports.
struct SimulationReport {
  const Plan& plan;
  const Platform& platform;
  const PlanFleet& fleet;
  const SimulationResult& result;
};

// Describes the seconds of an iteration, what bounds it, how busy each stage's lanes are, the bill and, if it ended
// early, why.
std::string simulation_report(const SimulationReport& report, int width);
nlohmann::json simulation_report_json(const SimulationReport& report);

}  // namespace funcpipe
