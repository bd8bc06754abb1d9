// The interface to services that run functions. Implementations: Lambda (lambda_service.h), memory (memory_service.h),
// and one that injects faults (faulty_service.h).
//
// All members are thread-safe. Each blocks at most for the time limit of a request; create waits, besides, until the
// function is ready, and invoke as long as the function runs. A requested stop ends a request within a second with
// `cancelled`; whether the service acted on it is then unknown.
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
  double vcpus = 0;  // for services where they are chosen apart from the memory; 0: the service chooses
  Seconds timeout = 900;
  std::string zip;  // the bytes of the deployment package, a zip file that contains `bootstrap`
  std::map<std::string, std::string> environment;
  std::string role = "arn:aws:iam::000000000000:role/funcpipe";
};

struct Invocation {
  std::string payload;                        // the function's answer
  std::optional<std::string> function_error;  // set if the function failed: what it or the platform says
  std::string log_tail;                       // the last lines the instance printed, with its REPORT line
};

class FunctionService {
 public:
  virtual ~FunctionService() = default;
  // Creates a function and waits until it can be invoked. Errors: already_exists if the name is taken.
  virtual Result<> create(const FunctionSpec& spec, std::stop_token stop = {}) = 0;
  virtual Result<bool> exists(const std::string& name, std::stop_token stop = {}) = 0;
  // not_found if there is none of that name.
  virtual Result<> remove(const std::string& name, std::stop_token stop = {}) = 0;
  // Runs a function and waits for its answer. A stop ends the wait with `cancelled`; the function itself may go on.
  virtual Result<Invocation> invoke(const std::string& name, const std::string& payload, std::stop_token stop = {}) = 0;
  // Asks for a run of the function and does not wait for it (Lambda's invocation type "Event"). The function is called
  // at least once; calls may change their order.
  virtual Result<> invoke_async(const std::string& name, const std::string& payload) = 0;
};

}  // namespace funcpipe
