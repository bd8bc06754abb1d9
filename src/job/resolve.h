// From what the user said to what the workers need to know.
#pragma once

#include "base/error.h"
#include "data/dataset.h"
#include "plan/plan.h"
#include "protocol/job_spec.h"
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

// How long the job is at a global batch. Error: invalid_input: fewer rows than one global batch.
struct JobLength {
  std::int64_t steps = 0, steps_per_epoch = 0;
};
Result<JobLength> length_of(const JobConfig& config, const Datasets& data, int global_batch);

// The specification of a job with this plan (job/plan_of_job.h): everything but the manifests of the published data.
// Error: invalid_input, as length_of.
Result<JobSpec> resolve(const JobConfig& config, const ModelDescription& model, const Datasets& data, Plan plan,
                        std::string id);

}  // namespace funcpipe
