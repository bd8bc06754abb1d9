// An ablation: the effect of each single step from FuncPipe as published to our planner.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

struct AblationRow {
  std::string step;
  bool feasible = false;
  PlayedPlan between;  // The planner's plan of least seconds x dollars, as simulated.
};

struct Ablation {
  std::string model, platform;
  int batch = 0;
  std::vector<AblationRow> rows;  // The first row is FuncPipe as published.
};

// Errors: cancelled, invalid_input.
Result<Ablation> ablation(const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
