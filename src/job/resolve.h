// From what the user said to what the workers need to know.
#pragma once

#include "base/error.h"
#include "catalog/platform.h"
#include "config/job_spec.h"
#include "data/dataset.h"

namespace funcpipe {

// The model's data inputs at micro-batch size as the data set gives them: bytes become float32 (images) or, for
// tokens, int64; other integers int64.
std::vector<TensorSpec> model_inputs(const JobConfig& config, const Dataset& data);
// The same as the data set stores them: for models that convert by themselves.
std::vector<TensorSpec> stored_inputs(const JobConfig& config, const Dataset& data);

// Refuses data whose rows are not what the model takes, naming both shapes.
Result<> check_data(const ModelDescription& model, const Datasets& data, const JobConfig& config);

// Parameter-sized buffers the optimiser keeps: SGD 0, with momentum 1; Adam 2.
int optimizer_state_copies(const JobConfig::Optimizer& optimizer);

// The plan file, or an even cut with the memory asked for (or the smallest that fits), checked against model and
// platform.
Result<Plan> resolve_plan(const JobConfig& config, const ModelDescription& model, const Platform& platform);

// Everything but the manifests of the published data. Error: invalid_input, e.g. fewer rows than one global batch.
Result<JobSpec> resolve(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                        const Datasets& data, std::string id);

}  // namespace funcpipe
