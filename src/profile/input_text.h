// Parses a model's inputs as a user writes them: "float32:16x1x28x28", or a JSON list.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

// Parses one text per input, or a single JSON text: [{"dtype": "int64", "shape": [4, 64]}, ...]. Dimension 0 of every
// shape is the micro-batch. Error: invalid_input.
Result<std::vector<TensorSpec>> parse_inputs(const std::vector<std::string>& texts);

}  // namespace funcpipe
