// The function's side of the Lambda Runtime API, version 2018-06-01:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#pragma once

#include <string>

#include "base/error.h"
#include "base/units.h"
#include "store/http_client.h"

namespace funcpipe {

struct LambdaEvent {
  std::string request_id;
  std::string payload;
  Seconds deadline = 0;  // unix time at which the platform ends this invocation
};

class LambdaRuntime {
 public:
  explicit LambdaRuntime(const std::string& address);  // AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001"

  Result<LambdaEvent> next();  // waits as long as it takes, frozen in between
  Result<> respond(const LambdaEvent& event, const std::string& payload);
  Result<> report_error(const LambdaEvent& event, const Error& error);
  Result<> report_init_error(const Error& error);

 private:
  Result<> post(const std::string& path, const std::string& body, bool error);

  const std::string base_;
  HttpClient client_;
};

}  // namespace funcpipe
