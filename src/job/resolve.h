// From what the user said to what the workers need to know.
#pragma once

#include "base/error.h"
#include "catalog/platform.h"
#include "config/job_spec.h"
#include "data/dataset.h"
#include "schedule/memory.h"

namespace funcpipe {

// What the model's forward may take at micro-batch size, in the order in which it is asked. First the data as it is
// stored, which is what PyTorch would give the model of the same file; then whole numbers as int64, then bytes as
// float32. A model that is its own loss may take the target as well: those come before.
struct InputChoices {
  std::vector<std::vector<TensorSpec>> taken;
  std::vector<std::vector<TensorSpec>> refused;  // conversions that are not made unasked, to name the way out
};
InputChoices possible_inputs(const JobConfig& config, const Dataset& data);

// For a model that takes `wanted`, of the refused, and said `refusal` of the data as it is stored.
Error refused_types(const JobConfig& config, const Dataset& data, const std::vector<TensorSpec>& wanted,
                    const std::string& refusal);

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
