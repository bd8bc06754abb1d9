// What a Lambda server is started with.
#pragma once

#include <filesystem>
#include <string>

#include "catalog/platform.h"

namespace funcpipe {

struct LambdaOptions {
  Platform platform;
  double dilation = 1;
  std::filesystem::path folder;  // holds functions/, logs/, and, while instances run, instances/
  int port = 0;                  // 0: any free one
  std::string region = "us-east-1";
  std::string s3_url;  // handed to instances as AWS_ENDPOINT_URL_S3
};

}  // namespace funcpipe
