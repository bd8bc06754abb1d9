#pragma once

#include <string>

#include "base/error.h"

namespace funcpipe {

// Never logged. `session_token` is empty for long-lived keys.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

// Where a cloud service is and how to sign for it.
struct Endpoint {
  std::string url;  // "http://127.0.0.1:9000", "https://s3.us-east-1.amazonaws.com"; no trailing slash
  std::string region = "us-east-1";
  bool path_style = true;  // S3: bucket in the path (emulator, MinIO) rather than in the host name (AWS, OSS)
};

// From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, as Lambda sets them.
Result<Credentials> credentials_from_environment();

}  // namespace funcpipe
