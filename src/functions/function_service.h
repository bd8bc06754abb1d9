// The function-service seam. Implementations: Lambda (lambda_service.h), memory (memory_service.h), faulty twin
// (faulty_service.h).
// All members are thread-safe. Each blocks at most for its own request time limit; invoke for the function's lifetime.
// A requested stop ends a request within a second: cancelled, and whether it was done is not known.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct FunctionSpec {
  std::string name;
  int memory_mb = 1024;
  double vcpus = 0;  // where the service has them chosen apart from the memory; 0: its own choice
  Seconds timeout = 900;
  std::string zip;  // the deployment package's bytes: a zip with `bootstrap` in it
  std::map<std::string, std::string> environment;
  std::string role = "arn:aws:iam::000000000000:role/funcpipe";
};

struct Invocation {
  std::string payload;                        // the function's answer
  std::optional<std::string> function_error;  // set if the function failed: what it or the platform says
  std::string log_tail;                       // last lines the instance printed, with its REPORT line
};

class FunctionService {
 public:
  virtual ~FunctionService() = default;
  // Creates and waits until it can be invoked. already_exists if the name is taken.
  virtual Result<> create(const FunctionSpec& spec, std::stop_token stop = {}) = 0;
  virtual Result<bool> exists(const std::string& name, std::stop_token stop = {}) = 0;
  virtual Result<> remove(const std::string& name, std::stop_token stop = {}) = 0;  // not_found is an error
  // Waits for the answer. `stop` abandons the wait (the function itself may go on): cancelled.
  virtual Result<Invocation> invoke(const std::string& name, const std::string& payload, std::stop_token stop = {}) = 0;
  // Fire and forget (Lambda's "Event"): at least once, in no order.
  virtual Result<> invoke_async(const std::string& name, const std::string& payload) = 0;
};

}  // namespace funcpipe
