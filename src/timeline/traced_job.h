// What a timeline is drawn of: the programs of a job and what became of their operations.
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
  std::vector<Program> programs;             // by rank
  std::vector<std::vector<OpEvent>> events;  // by rank
  LaneWidth widths{};
};

// The training programs of a plan, by rank. Errors: invalid_input, the plan is not one for this model.
Result<std::vector<Program>> training_programs(const Plan& plan, const ModelDescription& model);

// From the results folder of `funcpipe train` with metrics.trace_iterations above 0. Errors: invalid_input, what is
// missing there or does not fit together.
Result<TracedJob> load_traced_job(const std::filesystem::path& folder);

}  // namespace funcpipe
