// What a timeline is made from: the programs of a job and the events of their operations.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "timeline/played.h"

namespace funcpipe {

struct TracedJob {
  std::string name;
  std::vector<Program> programs;             // By rank.
  std::vector<std::vector<OpEvent>> events;  // By rank.
  LaneWidth widths{};
};

// Returns the training programs of a plan, by rank. Error: invalid_input if the plan is not one for this model.
Result<std::vector<Program>> training_programs(const Plan& plan, const ModelDescription& model);

// Reads the results folder of a job that `funcpipe train` finished with metrics.trace_iterations above 0. Error:
// invalid_input if files are missing or do not belong together.
Result<TracedJob> load_traced_job(const std::filesystem::path& folder);

}  // namespace funcpipe
