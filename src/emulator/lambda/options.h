// The options of a Lambda server.
#pragma once

#include <filesystem>
#include <string>

#include "catalog/platform.h"

namespace funcpipe {

struct LambdaOptions {
  Platform platform;
  double dilation = 1;
  std::filesystem::path folder;  // contains functions/, logs/ and, while instances run, instances/
  int port = 0;                  // 0: any free port
  std::string region = "us-east-1";
  std::string s3_url;  // given to instances as AWS_ENDPOINT_URL_S3
};

}  // namespace funcpipe
