// A model's inputs as people write them: "float32:16x1x28x28", or JSON: [{"dtype": "int64", "shape": [4, 64]}, ...].
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

// Dimension 0 is the micro-batch. Errors: invalid_input.
Result<std::vector<TensorSpec>> parse_inputs(const std::vector<std::string>& texts);

}  // namespace funcpipe
