// The function's side of the Lambda Runtime API, version 2018-06-01. Source:
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
  Seconds deadline = 0;  // when the platform ends this invocation, in seconds since 1970
};

class LambdaRuntime {
 public:
  explicit LambdaRuntime(const std::string& address);  // the value of AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001"

  Result<LambdaEvent> next();  // waits without limit; the platform freezes the process meanwhile
  Result<> respond(const LambdaEvent& event, const std::string& payload);
  Result<> report_error(const LambdaEvent& event, const Error& error);
  Result<> report_init_error(const Error& error);

 private:
  Result<> post(const std::string& path, const std::string& body, bool error);

  const std::string base_;
  HttpClient client_;
};

}  // namespace funcpipe
