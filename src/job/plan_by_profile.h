// Plans a job that does not say how it is to be cut, if it has a profile.
#pragma once

#include <stop_token>
#include <string>

#include "catalog/platform.h"
#include "config/job_config.h"
#include "plan/plan.h"
#include "schedule/memory.h"

namespace funcpipe {

// True if the job has a profile and sets neither a plan file nor stages.
bool is_planned_by_profile(const JobConfig& config);

struct PlanOfJob {
  Plan plan;
  std::string summary;  // "3 stages x 4 replicas, micro-batches of 4, 2x2048 3072 MB: 1.20 s an iteration, ..."
  Seconds iteration = 0;
  std::string remark = {};  // a sentence if the profile is of another platform than the job, else empty
};

// Finds a plan that keeps to what the job sets: global batch, micro-batch, replicas, order, synchronisation, memory.
// Errors: invalid_input for a file that is no profile or is of another model, and for what plan_training
// (planner/planner.h) refuses; cancelled.
Result<PlanOfJob> plan_by_profile(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                                  const TrainingState& state, std::int64_t iterations, std::stop_token stop);

}  // namespace funcpipe
