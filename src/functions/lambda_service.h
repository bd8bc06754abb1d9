// The client of AWS Lambda's API, which the emulator serves too.
#pragma once

#include <memory>
#include <string>

#include "functions/function_service.h"
#include "store/credentials.h"
#include "store/http_client.h"
#include "store/retry.h"
#include "store/uri.h"

namespace funcpipe {

struct LambdaServiceOptions {
  Endpoint endpoint;
  Credentials credentials;
  HttpLimits limits;  // of every request but invoke
  RetryPolicy retry;
  Seconds ready_limit = 60;        // for create: how long a new function may take to become active
  Seconds invocation_limit = 960;  // for invoke: the longest timeout of a function, and a margin for its start
};

// Every request is repeated after a 429 and when the service could not be reached. After other failures a request is
// repeated unless doing it twice does harm. So an invoke whose answer was lost is not repeated, because the function
// may have run: it fails with unavailable or timeout.
class LambdaService final : public FunctionService {
 public:
  // Errors: invalid_input for a malformed endpoint. Makes no request.
  static Result<std::unique_ptr<LambdaService>> open(LambdaServiceOptions options);

  Result<> create(const FunctionSpec& spec, std::stop_token stop = {}) override;
  Result<bool> exists(const std::string& name, std::stop_token stop = {}) override;
  Result<> remove(const std::string& name, std::stop_token stop = {}) override;
  Result<Invocation> invoke(const std::string& name, const std::string& payload, std::stop_token stop = {}) override;
  Result<> invoke_async(const std::string& name, const std::string& payload) override;

 private:
  struct Call;
  LambdaService(LambdaServiceOptions options, Url url);

  Result<HttpAnswer> send(const Call& call);
  Result<> wait_until_active(const std::string& name, const std::stop_token& stop);
  tl::unexpected<Error> refused(const HttpAnswer& answer, const std::string& where) const;

  const LambdaServiceOptions options_;
  const Url url_;
  HttpClient client_;
  Retrier retrier_;
};

}  // namespace funcpipe
