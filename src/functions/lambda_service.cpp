#include "functions/lambda_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "store/digest.h"
#include "store/sigv4.h"

namespace funcpipe {
namespace {

using nlohmann::json;

constexpr const char* kFunctions = "/2015-03-31/functions";

std::string path_of(const std::string& name) {
  return std::string(kFunctions) + "/" + uri_encode(name);
}
std::string place_of(const std::string& name) {
  return "function " + name;
}

// Returns the string member `name`; empty if there is none or `object` is no JSON object.
std::string member(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json lenient(const std::string& text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// Returns "type: message" from the payload of a function that failed; if it has neither, the whole payload.
std::string function_error(std::string_view kind, const std::string& payload) {
  const json answer = lenient(payload);
  const std::string message = member(answer, "errorMessage"), type = member(answer, "errorType");
  if (message.empty() && type.empty()) return fmt::format("{}: {}", kind, payload);
  return type.empty() ? message : type + ": " + message;
}

}  // namespace

struct LambdaService::Call {
  std::string method;
  std::string path;
  HttpHeaders headers;
  std::string_view body;
  std::string where;  // for messages
  HttpLimits limits;
  Retrier::Repeat repeat = Retrier::Repeat::idempotent;
  std::stop_token stop;
  bool* answer_lost = nullptr;  // set to true if the service may have acted on a try without our knowing
};

Result<std::unique_ptr<LambdaService>> LambdaService::open(LambdaServiceOptions options) {
  FUNCPIPE_TRY(url, parse_url(options.endpoint.url));
  return std::unique_ptr<LambdaService>(new LambdaService(std::move(options), std::move(url)));
}

LambdaService::LambdaService(LambdaServiceOptions options, Url url)
    : options_(std::move(options)),
      url_(std::move(url)),
      client_(url_.loopback()),
      retrier_(options_.retry, options_.endpoint.url, url_.loopback()) {}

Result<HttpAnswer> LambdaService::send(const Call& call) {
  const std::string hash = hex(sha256(call.body));
  const ConstBytes body = as_bytes(call.body);
  const std::string url = url_.scheme + "://" + url_.authority + call.path;
  const auto attempt = [&]() -> tl::expected<HttpAnswer, HttpFailure> {
    const SigningScope scope{"lambda", options_.endpoint.region, amz_time(unix_time())};
    HttpHeaders headers = call.headers;
    headers.emplace_back("Host", url_.authority);
    headers.emplace_back("X-Amz-Date", scope.time);
    headers.emplace_back("X-Amz-Content-Sha256", hash);
    if (!options_.credentials.session_token.empty()) {
      headers.emplace_back("X-Amz-Security-Token", options_.credentials.session_token);
    }
    headers.emplace_back("Authorization",
                         authorization_v4({call.method, call.path, "", headers, hash}, scope, options_.credentials));
    HttpCall request{call.method, url, std::move(headers), {&body, 1}, {}, call.limits};
    request.fresh_connection = call.repeat == Retrier::Repeat::unsent;
    request.stop = call.stop;
    auto answer = client_.perform(request);
    if (!answer && answer.error().sent && call.answer_lost) *call.answer_lost = true;
    return answer;
  };
  return retrier_.run(call.where, attempt, call.repeat, call.stop);
}

tl::unexpected<Error> LambdaService::refused(const HttpAnswer& answer, const std::string& where) const {
  const json body = lenient(answer.body);
  std::string text = member(body, "Message");
  if (text.empty()) text = member(body, "message");
  std::string type(answer.header("x-amzn-errortype").value_or(""));
  type.resize(std::min(type.size(), type.find(':')));  // older answers say "Type:http://..."
  std::string message = fmt::format("HTTP status {} from {}", answer.status, options_.endpoint.url);
  if (!type.empty() || !text.empty()) {
    message = fmt::format("{}: {} (HTTP status {} from {})", type, text, answer.status, options_.endpoint.url);
  }
  switch (answer.status) {
    case 400:
    case 413:
      return fail(ErrorCode::invalid_input, message, where);
    case 401:
    case 403:
      return fail(ErrorCode::permission_denied, message, where,
                  "The credentials need lambda:CreateFunction, GetFunction, InvokeFunction, DeleteFunction and "
                  "iam:PassRole.");
    case 404:
      return fail(ErrorCode::not_found, message, where);
    case 409:
      return fail(ErrorCode::already_exists, message, where);
    case 429:
      return fail(ErrorCode::exhausted, message, where,
                  "Ask for more concurrency (Service Quotas, \"Concurrent executions\") or use fewer workers.");
    case 500:
    case 502:
    case 503:
    case 504:
      return fail(ErrorCode::unavailable, message, where, "The service is overloaded or broken; try again later.");
    default:
      return fail(ErrorCode::failed, message, where);
  }
}

Result<> LambdaService::create(const FunctionSpec& spec, std::stop_token stop) {
  const std::string where = place_of(spec.name);
  json request = {{"FunctionName", spec.name},
                  {"Runtime", "provided.al2023"},
                  {"Handler", "bootstrap"},
                  {"Role", spec.role},
                  {"MemorySize", spec.memory_mb},
                  {"Timeout", static_cast<int>(spec.timeout)},
                  {"Code", {{"ZipFile", base64(spec.zip)}}}};
  if (spec.vcpus > 0) request["Cpu"] = spec.vcpus;  // Function Compute's name of the field; Lambda has no such field
  if (!spec.environment.empty()) request["Environment"]["Variables"] = spec.environment;
  const std::string body = request.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
  bool answer_lost = false;
  Call call{"POST", kFunctions, {{"Content-Type", "application/json"}}, body, where, options_.limits};
  call.answer_lost = &answer_lost;
  call.stop = stop;
  FUNCPIPE_TRY(answer, send(call));
  // If an earlier try's answer was lost, the function that exists is taken for the one that try made.
  const bool ours = answer.status == 409 && answer_lost;
  if (answer.status != 201 && answer.status != 200 && !ours) return refused(answer, where);
  return wait_until_active(spec.name, stop);
}

Result<> LambdaService::wait_until_active(const std::string& name, const std::stop_token& stop) {
  const std::string where = place_of(name);
  SystemClock clock;
  const Seconds start = clock.now();
  std::string state, update;
  for (Seconds pause = 0.02;; pause = std::min(pause * 1.5, 1.0)) {
    Call call{"GET", path_of(name), {}, "", where, options_.limits};
    call.stop = stop;
    FUNCPIPE_TRY(answer, send(call));
    if (answer.status != 200) return refused(answer, where);
    FUNCPIPE_TRY(parsed, parse_json(answer.body, where));
    const json configuration = parsed.is_object() ? parsed.value("Configuration", json()) : json();
    state = member(configuration, "State");
    update = member(configuration, "LastUpdateStatus");
    if (state == "Failed" || update == "Failed") {
      return fail(ErrorCode::failed,
                  fmt::format("the function cannot be made ready: {} {}", member(configuration, "StateReason"),
                              member(configuration, "LastUpdateStatusReason")),
                  where);
    }
    if (state == "Active" && update != "InProgress") return {};
    if (clock.now() - start + pause > options_.ready_limit) break;
    if (!clock.sleep_until(clock.now() + pause, stop))
      return fail(ErrorCode::cancelled, "stopped while waiting for the function to become active", where);
  }
  return fail(ErrorCode::timeout,
              fmt::format("waited {} for the function to become active; it is {} (update {})",
                          format_seconds(options_.ready_limit), state.empty() ? "without state" : state,
                          update.empty() ? "none" : update),
              where);
}

Result<bool> LambdaService::exists(const std::string& name, std::stop_token stop) {
  Call call{"GET", path_of(name), {}, "", place_of(name), options_.limits};
  call.stop = std::move(stop);
  FUNCPIPE_TRY(answer, send(call));
  if (answer.status == 404) return false;
  if (answer.status != 200) return refused(answer, place_of(name));
  return true;
}

Result<> LambdaService::remove(const std::string& name, std::stop_token stop) {
  bool answer_lost = false;
  Call call{"DELETE", path_of(name), {}, "", place_of(name), options_.limits};
  call.stop = std::move(stop);
  call.answer_lost = &answer_lost;
  FUNCPIPE_TRY(answer, send(call));
  if (answer.status == 404 && answer_lost) return {};
  if (answer.status != 204 && answer.status != 200) return refused(answer, place_of(name));
  return {};
}

Result<Invocation> LambdaService::invoke(const std::string& name, const std::string& payload, std::stop_token stop) {
  Call call{"POST", path_of(name) + "/invocations", {}, payload, place_of(name), options_.limits};
  call.headers = {
      {"Content-Type", "application/json"}, {"X-Amz-Invocation-Type", "RequestResponse"}, {"X-Amz-Log-Type", "Tail"}};
  call.limits.stall = 0;  // no byte moves while the function runs
  call.limits.overall = options_.invocation_limit;
  call.repeat = Retrier::Repeat::unsent;
  call.stop = std::move(stop);
  FUNCPIPE_TRY(answer, send(call));
  if (answer.status != 200) return refused(answer, call.where);
  Invocation invocation{answer.body, std::nullopt, {}};
  if (const auto log = answer.header("x-amz-log-result")) {
    FUNCPIPE_TRY(tail, from_base64(*log));
    invocation.log_tail = std::move(tail);
  }
  if (const auto kind = answer.header("x-amz-function-error")) {
    invocation.function_error = function_error(*kind, answer.body);
  }
  return invocation;
}

Result<> LambdaService::invoke_async(const std::string& name, const std::string& payload) {
  Call call{"POST", path_of(name) + "/invocations", {}, payload, place_of(name), options_.limits};
  call.headers = {{"Content-Type", "application/json"}, {"X-Amz-Invocation-Type", "Event"}};
  FUNCPIPE_TRY(answer, send(call));
  if (answer.status != 202) return refused(answer, call.where);
  return {};
}

}  // namespace funcpipe
