// Opens the store of a function's job.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/s3_store.h"

namespace funcpipe {

// Endpoint and region come from the environment variables that the platform sets. Time limits of requests are
// multiplied by `dilation`, because they count the platform's seconds.
S3Options store_options(const std::string& bucket, Credentials credentials, double dilation);

// Opens the store with the environment's credentials. Errors: those of credentials_from_environment and S3Store::open.
Result<std::unique_ptr<S3Store>> open_store(const std::string& bucket, double dilation);

}  // namespace funcpipe
