// Tries a model on rows of its data before anything is paid for: every size of batch that the job will really have, in
// training and in evaluation, the loss, and a backward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "model/model.h"

namespace funcpipe {

// Rows of the training data, as stored, and of the validation data if there is any: what SampleRows (job/sample_rows.h)
// hands over.
struct TrialRows {
  struct Pair {
    at::Tensor input, target;
  };
  Pair training, validation;  // validation: undefined tensors if there is none
};
Result<TrialRows> read_trial_rows(const std::filesystem::path& file);

// The data inputs of `samples` rows (the rows there are, again and again) as `inputs` wants them: the second, if there
// is one, is the target.
Model::Inputs trial_inputs(const TrialRows::Pair& rows, const std::vector<TensorSpec>& inputs, int samples);

struct TrialSizes {
  std::vector<int> training, evaluation;  // samples of a micro-batch; each size once
  bool backward = true;                   // tries a backward pass on the smallest for training
};

// {"failure": null, or what the model said at a size: {"training", "samples", "message", "smallest"}, where `smallest`
// is the fewest samples that it takes (0: none tried does);
//  "loss_text": empty, or "nan", "inf", "-inf" where the loss of the smallest for training is that;
//  "layer": then the first layer whose output is not finite; empty: all are;
//  "gradient": empty, or the parameter nearest to the loss whose gradient is not finite though the loss is}
// Errors: invalid_input, of the loss.
Result<nlohmann::json> try_model(const Model& model, const TrialRows& rows, const JobConfig::Model& settings,
                                 const TrialSizes& sizes);

}  // namespace funcpipe
