// The Lambda control API as awscli, boto3 and our own client use it: REST and JSON, signed with SigV4. Source:
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "emulator/credential_table.h"
#include "emulator/http/message.h"
#include "emulator/lambda/function_table.h"
#include "emulator/lambda/options.h"
#include "emulator/lambda/scheduler.h"

namespace funcpipe {

// It outlives the requests being served, which share it.
class LambdaApi : public std::enable_shared_from_this<LambdaApi> {
 public:
  LambdaApi(std::shared_ptr<const LambdaOptions> options, const CredentialTable& table,
            std::shared_ptr<FunctionTable> functions, std::shared_ptr<LambdaScheduler> scheduler,
            asio::thread_pool& file_threads)
      : options_(std::move(options)),
        table_(table),
        functions_(std::move(functions)),
        scheduler_(std::move(scheduler)),
        file_threads_(file_threads) {}

  asio::awaitable<HttpResponse> handle(HttpRequest& request);

 private:
  using Answer = LambdaResult<HttpResponse>;
  asio::awaitable<Answer> route(HttpRequest& request);
  // Reads the body of a request after checking that its sender is known and may use this service.
  asio::awaitable<LambdaResult<std::string>> authenticated_body(HttpRequest& request, Bytes limit);
  asio::awaitable<Answer> create(const std::string& body);
  asio::awaitable<Answer> update_code(const std::string& name, const std::string& body);
  asio::awaitable<Answer> invoke(HttpRequest& request, const std::string& name, std::string body);
  Answer update_configuration(const std::string& name, const std::string& body);
  Answer configure_events(const std::string& name, const std::string& body, bool keep);
  Answer get(const std::string& name) const;
  Answer list(const HttpRequest& request) const;
  Answer remove(const std::string& name);

  // Unpacks the zip in a request's code and sets the function's code fields. Returns the folder it was unpacked to.
  asio::awaitable<LambdaResult<std::filesystem::path>> unpack(const nlohmann::json& code, LambdaFunction& function);
  LambdaResult<> keep(LambdaFunction function, const std::filesystem::path& package = {});
  LambdaResult<const FunctionTable::Entry*> find(const std::string& name) const;

  // Options, functions and scheduler are shared with coroutines that end after the server.
  std::shared_ptr<const LambdaOptions> options_;
  const CredentialTable& table_;
  std::shared_ptr<FunctionTable> functions_;
  std::shared_ptr<LambdaScheduler> scheduler_;
  asio::thread_pool& file_threads_;
};

}  // namespace funcpipe
