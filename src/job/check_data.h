// Checks that data, model and loss fit together before anything is started.
#pragma once

#include <string>

#include "base/error.h"
#include "config/job_config.h"
#include "data/dataset.h"
#include "profile/model_description.h"

namespace funcpipe {

// Refuses a model with nothing to train; rows that the model does not accept (names both shapes); targets that the loss
// does not accept or that are not finite; classes for which the model has no output; and validation data of another
// form than the training data. Reads every target once. Errors: invalid_input.
Result<> check_data(const ModelDescription& model, const Datasets& data, const JobConfig& config);

// Resolves model.class_axis "auto" of a job that has passed check_data: returns "second" or "last".
std::string decided_class_axis(const ModelDescription& model, const Datasets& data, const JobConfig& config);

}  // namespace funcpipe
