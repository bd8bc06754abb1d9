#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "planner/planner.h"
#include "profile/derive.h"
#include "simulator/rehearsal.h"

namespace funcpipe {

struct PlanReport {
  const PlanningTask& task;
  const Planning& planning;
  std::optional<Judgement> own;              // a plan given by the user
  std::vector<std::string> alternatives;     // to the chosen plan (planner/alternatives.h)
  Adaptation adaptation;                     // how the profile was adapted to the platform
  std::optional<RehearsedChoice> rehearsed;  // what simulating plans showed; `planning.chosen` is its choice
  std::size_t preferred = 0;                 // the plan that formulas alone prefer
};

// Describes the frontier, the chosen plan stage by stage and what bounds it, and the user's own plan beside it.
std::string plan_report(const PlanReport& report, int width);
nlohmann::json plan_report_json(const PlanReport& report);

}  // namespace funcpipe
