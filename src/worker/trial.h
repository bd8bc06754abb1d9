// Tries a model on rows of its data before anything must be paid for: the loss, one backward pass, and each size of
// batch that the job will have in training and in evaluation.
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

// Rows of the training data, as stored, and of the validation data if there is any. SampleRows (job/sample_rows.h)
// writes them.
struct TrialRows {
  struct Pair {
    at::Tensor input, target;
  };
  Pair training, validation;  // `validation` has undefined tensors if there is no such data
};
Result<TrialRows> read_trial_rows(const std::filesystem::path& file);

// Makes the model's inputs of `samples` rows, repeating the given rows as needed, in the types that `inputs` names. The
// second input, if there is one, is the target.
Model::Inputs trial_inputs(const TrialRows::Pair& rows, const std::vector<TensorSpec>& inputs, int samples);

struct TrialSizes {
  std::vector<int> training, evaluation;  // sizes of micro-batches, each once
  bool backward = true;                   // whether to try a backward pass on the smallest size for training
};

// Answers with JSON:
// {"failure": null, or what the model said at a size: {"training", "samples", "message", "smallest"}, where `smallest`
// is the smallest size it accepts (0: none of those tried);
// "loss_text": "nan", "inf" or "-inf" if the loss of the smallest size for training is that, else empty;
// "layer": in that case the first layer whose output is not finite, empty if all outputs are finite;
// "gradient": if the loss is finite, the parameter nearest to the loss whose gradient is not; else empty}
// Errors: invalid_input, for the loss or for a sparse gradient.
Result<nlohmann::json> try_model(const Model& model, const TrialRows& rows, const JobConfig::Model& settings,
                                 const TrialSizes& sizes);

}  // namespace funcpipe
