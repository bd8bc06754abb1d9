// From what the user said to what the workers need to know.
#pragma once

#include "base/error.h"
#include "catalog/platform.h"
#include "config/job_spec.h"
#include "data/dataset.h"

namespace funcpipe {

// What the model's forward may take at micro-batch size, the likeliest first. The input as most models want it (bytes
// become float32 or, for tokens, int64; other integers int64), then as it is stored. A model that is its own loss may
// take the target as well: those come before.
std::vector<std::vector<TensorSpec>> possible_inputs(const JobConfig& config, const Dataset& data);

// The optimiser's copies of the weights, and the data a worker caches.
TrainingState training_state(const JobConfig& config, const Datasets& data);

// The plan file, which nothing else the user set may contradict, or an even cut with the memory asked for (or the
// smallest that fits), checked against model and platform.
Result<Plan> resolve_plan(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                          const TrainingState& state);

// How long the job is at a global batch. Error: invalid_input: fewer rows than one global batch.
struct JobLength {
  std::int64_t steps = 0, steps_per_epoch = 0;
};
Result<JobLength> length_of(const JobConfig& config, const Datasets& data, int global_batch);

// Everything but the manifests of the published data. `planned`: the plan, where it is made for this job
// (job/plan_by_profile.h). Error: invalid_input.
Result<JobSpec> resolve(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                        const Datasets& data, std::string id, const Plan* planned = nullptr);

}  // namespace funcpipe
