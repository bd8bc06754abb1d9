#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"

namespace funcpipe {

// Runs the process inside a function: takes events from the Lambda Runtime API at `address`, plays the worker that each
// names, and answers. Store, region and credentials come from the environment variables that Lambda sets;
// AWS_ENDPOINT_URL_S3, if set, is the store's address. Returns only when the Runtime API is gone.
Result<> serve_invocations(const std::string& address);

// Plays the worker that `invocation` (a WorkerInvocation as JSON) names on a machine that is not a function, with the
// same environment variables. Returns a WorkerAnswer as JSON. Ends with the program that started this process.
Result<nlohmann::json> serve_invocation(const std::string& invocation);

}  // namespace funcpipe
