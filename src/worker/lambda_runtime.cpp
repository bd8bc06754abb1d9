#include "worker/lambda_runtime.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

std::string error_body(const Error& error) {
  return nlohmann::json{{"errorMessage", describe(error)}, {"errorType", std::string(to_string(error.code))}}.dump();
}

}  // namespace

LambdaRuntime::LambdaRuntime(const std::string& address)
    : base_("http://" + address + "/2018-06-01/runtime/"), client_(true) {}

Result<LambdaEvent> LambdaRuntime::next() {
  const HttpCall request{.method = "GET", .url = base_ + "invocation/next", .limits = {.stall = 0, .overall = 0}};
  const auto answer = client_.perform(request);
  if (!answer) return fail(ErrorCode::unavailable, answer.error().message, request.url);
  const auto id = answer->header("lambda-runtime-aws-request-id");
  if (answer->status != 200 || !id)
    return fail(ErrorCode::unavailable, fmt::format("no event: status {}", answer->status), request.url);
  LambdaEvent event{std::string(*id), answer->body, 0};
  if (const auto deadline = answer->header("lambda-runtime-deadline-ms")) {
    long long milliseconds = 0;
    std::from_chars(deadline->data(), deadline->data() + deadline->size(), milliseconds);
    event.deadline = static_cast<double>(milliseconds) / 1e3;
  }
  return event;
}

Result<> LambdaRuntime::respond(const LambdaEvent& event, const std::string& payload) {
  return post("invocation/" + event.request_id + "/response", payload, false);
}

Result<> LambdaRuntime::report_error(const LambdaEvent& event, const Error& error) {
  return post("invocation/" + event.request_id + "/error", error_body(error), true);
}

Result<> LambdaRuntime::report_init_error(const Error& error) {
  return post("init/error", error_body(error), true);
}

Result<> LambdaRuntime::post(const std::string& path, const std::string& body, bool error) {
  const ConstBytes piece = as_bytes(body);
  HttpCall request{.method = "POST", .url = base_ + path, .body = std::span(&piece, 1)};
  request.headers.emplace_back("Content-Type", "application/json");
  if (error) request.headers.emplace_back("Lambda-Runtime-Function-Error-Type", "Runtime.Failed");
  const auto answer = client_.perform(request);
  if (!answer) return fail(ErrorCode::unavailable, answer.error().message, request.url);
  if (answer->status / 100 != 2)
    return fail(ErrorCode::unavailable, fmt::format("the runtime answered with status {}", answer->status),
                request.url);
  return {};
}

}  // namespace funcpipe
