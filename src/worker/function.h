#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"

namespace funcpipe {

// The life of the process inside a function: takes event after event from the Lambda Runtime API at `address`, plays
// the worker each names, answers. Store, region and credentials come from the environment as Lambda sets it, the
// store's address from AWS_ENDPOINT_URL_S3 if set. Returns only when the runtime is gone.
Result<> serve_invocations(const std::string& address);

// Plays the one worker that `invocation` (WorkerInvocation as JSON) names, on a machine that is no function, with the
// same environment. The answer: WorkerAnswer as JSON. Ends with the program that started this process.
Result<nlohmann::json> serve_invocation(const std::string& invocation);

}  // namespace funcpipe
