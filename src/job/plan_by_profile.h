// Makes the plan of a job with the planner, from a profile of its model.
#pragma once

#include <cstdint>
#include <stop_token>

#include "job/plan_of_job.h"
#include "schedule/memory.h"

namespace funcpipe {

// Plans a job of `iterations` iterations. Searches within what the job sets itself: global batch, micro-batch,
// replicas, order, synchronisation, memory, vCPUs. Errors: invalid_input: the file is no profile or one of another
// model, or plan_training (planner/planner.h) refuses; cancelled.
Result<PlanOfJob> plan_by_profile(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                                  const TrainingState& state, std::int64_t iterations, std::stop_token stop);

}  // namespace funcpipe
