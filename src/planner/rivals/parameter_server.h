// A virtual machine that sums the gradients of all functions and sends back weights (HybridPS, the Cirrus design).
#pragma once

#include <string>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct ParameterServer {
  BytesPerSecond bandwidth = 0;  // each way
  Dollars per_second = 0;
};

// `name`: the stem of a file in servers/ of the platforms folder. Errors: not_found, invalid_input (file:line).
Result<ParameterServer> load_parameter_server(const std::string& name);

}  // namespace funcpipe
