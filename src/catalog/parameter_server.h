// A parameter server: a virtual machine that sums the gradients of all functions and sends the sums back, as HybridPS
// does after the design of Cirrus (Carreira et al., SoCC 2019).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

struct ParameterServer {
  std::string name;
  BytesPerSecond bandwidth = 0;  // In each direction.
  Dollars per_second = 0;        // Its price; the machine is paid for all the time.
  Seconds latency = 0;           // From a function's request to the first byte of the answer.
};

// Loads servers/NAME.toml of the platforms folder. Errors: not_found (the hint lists the names there are),
// invalid_input (with file and line).
Result<ParameterServer> load_parameter_server(const std::string& name);

// Returns `platform` as functions see it that keep all objects on `server`: together they share its bandwidth in each
// direction, every request takes its latency, and requests and storage are free.
Platform beside(const ParameterServer& server, Platform platform);

}  // namespace funcpipe
