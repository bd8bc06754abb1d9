// Decides which options count if a job has several that determine how the model is cut and they exclude each other.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "plan/plan.h"

namespace funcpipe {

// Returns whether the user set the option on the command line.
bool is_on_command_line(const JobConfig& config, const std::string& option);

// Lets the command line outrank the job file:
//   --parallelism.profile   outranks the file's plan, stages, replicas, micro-batch, order, synchronisation and server,
//                           which are then planned
//   --parallelism.stages    outranks the file's profile, so that the model is cut evenly
// An outranked option gets its default back and counts as not set; JobConfig::outranked names it. A profile beside a
// plan is not used, which JobConfig::outranked says too. Error: invalid_input if both stages and a profile are set in
// the same place, since a profile is there to choose the stages.
Result<> settle_precedence(JobConfig& config);

// Checks that the plan in `file` agrees with all options that the user set. Error: invalid_input, with both values. If
// the plan is named on the command line, it outranks options of the job file, except the global batch;
// outranked_by_plan() returns one sentence for each of these.
Result<> check_against_plan(const JobConfig& config, const Plan& plan, const std::string& file);
std::vector<std::string> outranked_by_plan(const JobConfig& config, const Plan& plan);

}  // namespace funcpipe
