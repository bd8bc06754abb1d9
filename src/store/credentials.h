#pragma once

#include <string>

#include "base/error.h"

namespace funcpipe {

// The keys of an account. They are never logged. `session_token` is empty for long-lived keys.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

// Says where a cloud service is and how to sign requests for it.
struct Endpoint {
  // For example "https://s3.us-east-1.amazonaws.com" or "http://127.0.0.1:9000"; without a slash at its end.
  std::string url;
  std::string region = "us-east-1";
  // For S3: the bucket stands in the path (emulator, MinIO); if false, in the host name (AWS, OSS).
  bool path_style = true;
};

// Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which Lambda sets for a function.
Result<Credentials> credentials_from_environment();

}  // namespace funcpipe
