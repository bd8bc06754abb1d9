// A virtual machine that sums the gradients of all functions and sends them back (HybridPS, the Cirrus design).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

struct ParameterServer {
  std::string name;
  BytesPerSecond bandwidth = 0;  // each way
  Dollars per_second = 0;        // its price, which runs all the time
  Seconds latency = 0;           // of a function's request, until the first byte of the answer
};

// `name`: the stem of a file in servers/ of the platforms folder. Errors: not_found (with the names there are),
// invalid_input (file:line).
Result<ParameterServer> load_parameter_server(const std::string& name);

// The platform as functions meet it whose objects all lie on `server`: together they have its bandwidth each way, wait
// its latency, and pay for no request and no storage.
Platform beside(const ParameterServer& server, Platform platform);

}  // namespace funcpipe
