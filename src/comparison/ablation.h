// What each step from published FuncPipe to ours does alone.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

struct AblationRow {
  std::string step;
  bool feasible = false;
  PlayedPlan between;  // its planner's plan of least seconds x dollars, played
};

struct Ablation {
  std::string model, platform;
  int batch = 0;
  std::vector<AblationRow> rows;  // the first: as published
};

// Errors: cancelled, invalid_input.
Result<Ablation> ablation(const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
