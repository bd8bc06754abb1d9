// Turns what the user says into what the workers need to know.
#pragma once

#include "base/error.h"
#include "data/dataset.h"
#include "plan/plan.h"
#include "protocol/job_spec.h"
#include "schedule/memory.h"

namespace funcpipe {

// The inputs that the model's forward may accept, at micro-batch size, in the order in which they are tried. First come
// the data as stored, which is what PyTorch would give the model from the same file; then whole numbers as int64; then
// bytes as float32. If the model may be its own loss, inputs with the target come before those without.
struct InputChoices {
  std::vector<std::vector<TensorSpec>> taken;
  std::vector<std::vector<TensorSpec>> refused;  // conversions that are not made unasked; they serve to give a hint
};
InputChoices possible_inputs(const JobConfig& config, const Dataset& data);

// Makes the error for a model that accepts `wanted`, one of the refused choices, and said `refusal` of the data as
// stored.
Error refused_types(const JobConfig& config, const Dataset& data, const std::vector<TensorSpec>& wanted,
                    const std::string& refusal);

// Returns the memory for the optimiser's copies of the weights and for the data that a worker caches.
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
