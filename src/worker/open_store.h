// A function's way to its job's objects.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/s3_store.h"

namespace funcpipe {

// Endpoint and region are what the platform sets in the environment. The limits of a request count the platform's
// seconds, of which each is `dilation` of this machine's.
S3Options store_options(const std::string& bucket, Credentials credentials, double dilation);

// With the environment's credentials. Errors: those of credentials_from_environment and S3Store::open.
Result<std::unique_ptr<S3Store>> open_store(const std::string& bucket, double dilation);

}  // namespace funcpipe
