// Whether data, model and loss fit together: asked before anything is started.
#pragma once

#include <string>

#include "base/error.h"
#include "config/job_config.h"
#include "data/dataset.h"
#include "profile/model_description.h"

namespace funcpipe {

// Refuses a model in which there is nothing to train, rows that are not what the model takes (naming both shapes),
// targets the loss cannot take or that are not finite, classes the model has no output for, and then validation data
// that is not as the training data is. Reads every target once.
Result<> check_data(const ModelDescription& model, const Datasets& data, const JobConfig& config);

// What model.class_axis of a job that has passed check_data is once auto is decided: "second" or "last".
std::string decided_class_axis(const ModelDescription& model, const Datasets& data, const JobConfig& config);

}  // namespace funcpipe
