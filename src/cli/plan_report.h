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
  std::optional<Judgement> own;              // a plan of the user's
  std::vector<std::string> alternatives;     // of the chosen plan (planner/alternatives.h)
  Adaptation adaptation;                     // of the profile to the platform
  std::optional<RehearsedChoice> rehearsed;  // what playing plans said; `planning.chosen` is its choice
  std::size_t preferred = 0;                 // by formulas alone
};

// The frontier, the chosen plan stage by stage, what bounds it, and the user's own beside it.
std::string plan_report(const PlanReport& report, int width);
nlohmann::json plan_report_json(const PlanReport& report);

}  // namespace funcpipe
