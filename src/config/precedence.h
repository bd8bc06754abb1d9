// Which of the things a job may say of how it is cut count, where they cannot all.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "plan/plan.h"

namespace funcpipe {

// Whether the user set the option on the command line, and not in the job file.
bool is_on_command_line(const JobConfig& config, const std::string& option);

// What the command line says outranks the job file:
//   --parallelism.profile   outranks the file's plan, stages, replicas, micro-batch, order, synchronisation and server:
//                           all of that is then planned
//   --parallelism.stages    outranks the file's profile: the job is cut evenly
// What is outranked gets its default back and
// counts as not set; JobConfig::outranked says so. Error: invalid_input: stages beside a profile in the same place,
// which is for choosing them.
Result<> settle_precedence(JobConfig& config);

// Refuses an option that the user set and that the plan file `file` says otherwise: invalid_input with both values.
// Where the plan was named on the command line and the option in the job file, the plan outranks it, but for the global
// batch; outranked_by_plan then says so, a sentence each.
Result<> check_against_plan(const JobConfig& config, const Plan& plan, const std::string& file);
std::vector<std::string> outranked_by_plan(const JobConfig& config, const Plan& plan);

}  // namespace funcpipe
