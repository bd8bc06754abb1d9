#include "emulator/lambda/api.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "base/clock.h"
#include "base/owned_folder.h"
#include "emulator/file_work.h"
#include "emulator/lambda/bounded_json.h"
#include "emulator/lambda/package.h"
#include "emulator/request_signature.h"
#include "store/digest.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFunctions = "/2015-03-31/functions";
constexpr std::string_view kEventConfig = "/2019-09-25/functions";
// Lambda's quotas in bytes: a request that contains code, an event, the unpacked content of a zip.
constexpr Bytes kCodeRequestLimit = 70'167'211;
constexpr Bytes kEventLimit = 1'048'576;
constexpr Bytes kUnpackedLimit = 262'144'000;
constexpr Bytes kConfigurationLimit = kMiB;           // for any other request
constexpr Bytes kUnlimitedUnpackedLimit = 16 * kGiB;  // for platforms without limits
constexpr std::size_t kMostFunctions = 10'000;
constexpr std::size_t kListPage = 50, kListLimit = 10'000;

tl::unexpected<LambdaError> wrong(int status, std::string type, std::string message) {
  return tl::unexpected(LambdaError{status, std::move(type), std::move(message)});
}

HttpResponse reply(int status, const Json& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = to_text(body)};
}

HttpResponse error_reply(const LambdaError& error) {
  Json body = {
      {"Type", error.status < 500 ? "User" : "Service"}, {"Message", error.message}, {"message", error.message}};
  if (error.status == 429) body["Reason"] = "ConcurrentInvocationLimitExceeded";
  HttpResponse response = reply(error.status, body);
  response.headers.emplace_back("x-amzn-ErrorType", error.type);
  if (error.status == 429) response.headers.emplace_back("Retry-After", "1");
  return response;
}

LambdaResult<Json> parse(const std::string& body) {
  auto json = parse_bounded_json(body.empty() ? "{}" : body);
  if (!json || !json->is_object())
    return wrong(400, "InvalidRequestContentException", "Could not parse request body into json.");
  return std::move(*json);
}

// Refuses a change with a RevisionId if somebody else has changed the function since.
LambdaResult<> same_revision(const Json& request, const LambdaFunction& function) {
  const Json wanted = request.value("RevisionId", Json());
  if (wanted.is_null() || wanted == function.revision) return {};
  return wrong(412, "PreconditionFailedException",
               "The Revision Id provided does not match the latest Revision Id of the function.");
}

// CreateFunction must take its code from one place, the zip in the request.
LambdaResult<> zip_alone(const Json& code) {
  if (!code.is_object()) return {};
  for (const auto& [field, value] : code.items())
    if (field != "ZipFile" && !value.is_null())
      return wrong(400, "InvalidParameterValueException",
                   code.contains("ZipFile")
                       ? "Please do not provide other FunctionCode parameters when providing a ZipFile."
                       : "Please provide a source for function code: this service takes ZipFile only.");
  return {};
}

// Removes a package that did not become a function's.
void discard(const fs::path& package) {
  (void)remove_owned_folder(package);
  std::error_code status;
  fs::remove(package.parent_path(), status);  // removes it only if it is empty
}

std::string now_text() {
  const Seconds now = unix_time();
  const auto whole = std::floor(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}+0000", fmt::gmtime(static_cast<std::time_t>(whole)),
                     static_cast<int>((now - whole) * 1000));
}

// Turns the S3 code for a bad signature into the Lambda API's error.
LambdaError to_lambda(const Refusal& refusal) {
  std::string type = refusal.code;
  if (type == "SignatureDoesNotMatch") type = "InvalidSignatureException";
  if (type == "InvalidAccessKeyId" || type == "InvalidToken") type = "UnrecognizedClientException";
  if (type == "AccessDenied") type = "MissingAuthenticationTokenException";
  return {refusal.status, type, refusal.message};
}

#define TRY_LAMBDA(name, ...)                                          \
  auto name##_result = (__VA_ARGS__);                                  \
  if (!name##_result) co_return tl::unexpected(name##_result.error()); \
  auto name = std::move(*name##_result)

}  // namespace

asio::awaitable<HttpResponse> LambdaApi::handle(HttpRequest& request) {
  auto answer = co_await route(request);
  HttpResponse response = answer ? std::move(*answer) : error_reply(answer.error());
  const auto has_id = [](const auto& header) { return header.first == "x-amzn-RequestId"; };
  if (std::ranges::none_of(response.headers, has_id)) response.headers.emplace_back("x-amzn-RequestId", make_uuid());
  co_return response;
}

asio::awaitable<LambdaApi::Answer> LambdaApi::route(HttpRequest& request) {
  // The path is "/2015-03-31/functions[/NAME[/VERB]]".
  const bool event_config = request.path.starts_with(kEventConfig);
  if ((!event_config && !request.path.starts_with(kFunctions)) ||
      (request.path.size() > kFunctions.size() && request.path[kFunctions.size()] != '/'))
    co_return wrong(404, "UnknownOperationException", fmt::format("no such operation: {}", request.path));
  std::string rest = request.path.substr(kFunctions.size());
  while (!rest.empty() && rest.front() == '/') rest.erase(0, 1);
  const auto slash = rest.find('/');
  const std::string target = rest.substr(0, slash);
  const std::string verb = slash == std::string::npos ? "" : rest.substr(slash + 1);
  const std::string& method = request.method;

  const bool invocation = verb == "invocations";
  const bool event = request.header("x-amz-invocation-type") == "Event";
  const bool code = (method == "POST" && target.empty()) || (method == "PUT" && verb == "code");
  const Bytes limit = code          ? kCodeRequestLimit
                      : !invocation ? kConfigurationLimit
                      : event       ? kEventLimit
                                    : options_->platform.limits.request_payload;
  auto body = co_await authenticated_body(request, limit);
  if (!body) co_return tl::unexpected(body.error());

  if (target.empty()) {
    if (method == "POST" && !event_config) co_return co_await create(*body);
    if (method == "GET" && !event_config) co_return list(request);
    co_return wrong(405, "UnknownOperationException", fmt::format("no such operation: {} {}", method, request.path));
  }
  TRY_LAMBDA(name, function_name(target));
  if (event_config) {
    if (verb == "event-invoke-config" && (method == "PUT" || method == "POST" || method == "GET" || method == "DELETE"))
      co_return configure_events(name, method == "DELETE" ? R"({"MaximumRetryAttempts":2})" : *body, method != "GET");
  } else if (verb.empty()) {
    if (method == "GET") co_return get(name);
    if (method == "DELETE") co_return remove(name);
  } else if (invocation && method == "POST") {
    co_return co_await invoke(request, name, std::move(*body));
  } else if (verb == "configuration" && method == "GET") {
    TRY_LAMBDA(entry, find(name));
    co_return reply(200, configuration_json(entry->function, options_->region));
  } else if (verb == "configuration" && method == "PUT") {
    co_return update_configuration(name, *body);
  } else if (verb == "code" && method == "PUT") {
    co_return co_await update_code(name, *body);
  }
  co_return wrong(404, "UnknownOperationException", fmt::format("no such operation: {} {}", method, request.path));
}

asio::awaitable<LambdaResult<std::string>> LambdaApi::authenticated_body(HttpRequest& request, Bytes limit) {
  // Nothing is read for an unknown sender. If the sender's headers say what the body's hash will be, the signature over
  // it is checked before the body is read.
  const SignedFor wanted{"lambda", options_->region};
  const auto account = identify(request, wanted, table_, unix_time());
  if (!account) co_return tl::unexpected(to_lambda(account.error()));
  if ((*account)->instance)
    co_return wrong(403, "AccessDeniedException",
                    "A function's own credentials are for the object store; they may not use the function service.");
  const std::string promised(request.header("x-amz-content-sha256"));
  if (!promised.empty())
    if (const auto proven = authenticate(request, wanted, promised, table_, unix_time()); !proven)
      co_return tl::unexpected(to_lambda(proven.error()));
  auto body = co_await request.read_body(limit);
  if (!body && body.error().code == ErrorCode::unavailable)
    co_return wrong(429, "TooManyRequestsException", body.error().message);
  if (!body)
    co_return wrong(413, "RequestTooLargeException", fmt::format("Request must be smaller than {} bytes", limit));
  const std::string found = hex(sha256(*body));
  if (!promised.empty() && promised != found)
    co_return wrong(403, "InvalidSignatureException", "The body is not the one that x-amz-content-sha256 promises.");
  if (promised.empty())
    if (const auto proven = authenticate(request, wanted, found, table_, unix_time()); !proven)
      co_return tl::unexpected(to_lambda(proven.error()));
  co_return std::move(*body);
}

LambdaResult<const FunctionTable::Entry*> LambdaApi::find(const std::string& name) const {
  if (const auto* entry = functions_->find(name)) return entry;
  return wrong(404, "ResourceNotFoundException", "Function not found: " + function_arn(options_->region, name));
}

asio::awaitable<LambdaResult<fs::path>> LambdaApi::unpack(const Json& code, LambdaFunction& function) {
  if (!code.is_object() || !code.contains("ZipFile") || !code["ZipFile"].is_string())
    co_return wrong(400, "InvalidParameterValueException",
                    "Please provide a source for function code: this service takes ZipFile only.");
  const fs::path folder = functions_->new_package(function.name);
  const Bytes limit = options_->platform.limited ? kUnpackedLimit : kUnlimitedUnpackedLimit;
  std::string zip;
  const auto unpacked = co_await run_on(file_threads_, [&]() -> Result<> {
    FUNCPIPE_TRY(bytes, from_base64(code["ZipFile"].get_ref<const std::string&>()));
    zip = std::move(bytes);
    FUNCPIPE_TRY_VOID(make_owned_folder(folder));
    auto result = unpack_zip(zip, folder / kPackageFiles, limit);
    if (!result) discard(folder);
    return result;
  });
  if (!unpacked) {
    const ErrorCode why = unpacked.error().code;
    if (why == ErrorCode::exhausted && unpacked.error().message == kPackageTooLarge)
      co_return wrong(400, "InvalidParameterValueException",
                      fmt::format("Unzipped size must be smaller than {} bytes", limit));
    if (why == ErrorCode::exhausted || why == ErrorCode::already_exists || why == ErrorCode::permission_denied)
      co_return wrong(500, "ServiceException", describe(unpacked.error()));
    co_return wrong(400, "InvalidParameterValueException",
                    fmt::format("Could not unzip uploaded file. Please check your file, then try to upload again. ({})",
                                describe(unpacked.error())));
  }
  function.code_size = static_cast<Bytes>(zip.size());
  function.code_sha256 = base64(sha256(zip));
  co_return folder;
}

LambdaResult<> LambdaApi::keep(LambdaFunction function, const fs::path& package) {
  function.last_modified = now_text();
  function.revision = make_uuid();
  const std::string name = function.name;
  if (const auto kept = functions_->put(std::move(function), package); !kept) {
    if (!package.empty()) discard(package);
    return wrong(500, "ServiceException", describe(kept.error()));
  }
  scheduler_->retire(name);
  return {};
}

asio::awaitable<LambdaApi::Answer> LambdaApi::create(const std::string& body) {
  TRY_LAMBDA(json, parse(body));
  if (!json.contains("FunctionName") || !json["FunctionName"].is_string() || !json.contains("Role"))
    co_return wrong(400, "ValidationException", "FunctionName and Role are required");
  for (const char* field : {"Runtime", "Handler"})
    if (json.value(field, Json()).is_null())
      co_return wrong(400, "InvalidParameterValueException",
                      "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  const Json code = json.value("Code", Json::object());
  if (const auto sole = zip_alone(code); !sole) co_return tl::unexpected(sole.error());
  if (functions_->all().size() >= kMostFunctions)
    co_return wrong(400, "CodeStorageExceededException", fmt::format("There are {} functions.", kMostFunctions));
  LambdaFunction function;
  TRY_LAMBDA(name, function_name(json["FunctionName"].get<std::string>()));
  function.name = name;
  if (const auto valid = apply_configuration(json, options_->platform, function); !valid)
    co_return tl::unexpected(valid.error());
  const auto conflict = wrong(409, "ResourceConflictException", "Function already exist: " + name);
  if (functions_->find(name)) co_return conflict;
  TRY_LAMBDA(package, co_await unpack(code, function));
  if (functions_->find(name)) {  // another request has created it meanwhile
    discard(package);
    co_return conflict;
  }
  if (const auto kept = keep(std::move(function), package); !kept) co_return tl::unexpected(kept.error());
  co_return reply(201, configuration_json(functions_->find(name)->function, options_->region));
}

asio::awaitable<LambdaApi::Answer> LambdaApi::update_code(const std::string& name, const std::string& body) {
  TRY_LAMBDA(json, parse(body));
  TRY_LAMBDA(before, find(name));
  LambdaFunction code = before->function;
  for (const auto& [field, value] : json.items()) {
    const bool known = field == "ZipFile" || field == "DryRun" || field == "RevisionId" || field == "Architectures";
    if (!known && !value.is_null() && value != false)
      co_return wrong(400, "InvalidParameterValueException", "UpdateFunctionCode is not served here with " + field);
  }
  const Json dry = json.value("DryRun", Json(false));
  if (!dry.is_boolean() && !dry.is_null())
    co_return wrong(400, "SerializationException", "DryRun must be true or false");
  if (const auto same = same_revision(json, code); !same) co_return tl::unexpected(same.error());
  if (const auto taken = take_architecture(json.value("Architectures", Json()), code); !taken)
    co_return tl::unexpected(taken.error());
  TRY_LAMBDA(package, co_await unpack(json, code));
  if (dry == true) {  // a dry run, which would have succeeded
    discard(package);
    co_return reply(200, configuration_json(code, options_->region));
  }
  const auto entry = find(name);  // another request may have changed it meanwhile
  LambdaResult<> same = entry ? same_revision(json, (*entry)->function) : LambdaResult<>(tl::unexpect, entry.error());
  if (!same) {
    discard(package);
    co_return tl::unexpected(same.error());
  }
  LambdaFunction function = (*entry)->function;
  function.architecture = code.architecture;
  function.code_size = code.code_size;
  function.code_sha256 = code.code_sha256;
  if (const auto kept = keep(std::move(function), package); !kept) co_return tl::unexpected(kept.error());
  co_return reply(200, configuration_json(functions_->find(name)->function, options_->region));
}

LambdaApi::Answer LambdaApi::update_configuration(const std::string& name, const std::string& body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  const auto entry = find(name);
  if (!entry) return tl::unexpected(entry.error());
  LambdaFunction function = (*entry)->function;
  if (const auto same = same_revision(*json, function); !same) return tl::unexpected(same.error());
  if (const auto valid = apply_configuration(*json, options_->platform, function); !valid)
    return tl::unexpected(valid.error());
  if (const auto kept = keep(std::move(function)); !kept) return tl::unexpected(kept.error());
  return reply(200, configuration_json(functions_->find(name)->function, options_->region));
}

LambdaApi::Answer LambdaApi::configure_events(const std::string& name, const std::string& body, bool change) {
  const auto entry = find(name);
  if (!entry) return tl::unexpected(entry.error());
  LambdaFunction function = (*entry)->function;
  if (change) {
    const auto json = parse(body);
    if (!json) return tl::unexpected(json.error());
    for (const auto& [field, value] : json->items())
      if (field != "MaximumRetryAttempts" && !value.is_null() && !value.empty())
        return wrong(400, "InvalidParameterValueException", field + " is not served here");
    const Json retries = json->value("MaximumRetryAttempts", Json(2));
    if (!retries.is_number_integer() || retries < 0 || retries > 2)
      return wrong(400, "ValidationException", "MaximumRetryAttempts must be 0, 1 or 2");
    function.retries = retries.get<int>();
    if (const auto kept = functions_->put(function); !kept)
      return wrong(500, "ServiceException", describe(kept.error()));
  }
  return reply(200, {{"FunctionArn", function_arn(options_->region, name) + ":$LATEST"},
                     {"LastModified", unix_time()},
                     {"MaximumRetryAttempts", function.retries}});
}

LambdaApi::Answer LambdaApi::get(const std::string& name) const {
  const auto entry = find(name);
  if (!entry) return tl::unexpected(entry.error());
  return reply(200, {{"Configuration", configuration_json((*entry)->function, options_->region)},
                     {"Code", {{"RepositoryType", "S3"}, {"Location", "file://" + (*entry)->package->files.string()}}},
                     {"Tags", Json::object()}});
}

LambdaApi::Answer LambdaApi::list(const HttpRequest& request) const {
  std::size_t page = kListPage;
  if (const auto wanted = request.parameter("MaxItems"); wanted && !wanted->empty()) {
    const auto [end, error] = std::from_chars(wanted->data(), wanted->data() + wanted->size(), page);
    if (error != std::errc() || end != wanted->data() + wanted->size() || page < 1 || page > kListLimit)
      return wrong(400, "ValidationException",
                   fmt::format("1 validation error detected: the value at 'maxItems' failed to satisfy constraint: "
                               "Member must be a number from 1 to {}",
                               kListLimit));
  }
  const std::string after(request.parameter("Marker").value_or(""));
  Json answer = {{"Functions", Json::array()}};
  const auto& all = functions_->all();
  for (auto at = after.empty() ? all.begin() : all.upper_bound(after); at != all.end(); ++at) {
    if (answer["Functions"].size() == page) {
      answer["NextMarker"] = std::prev(at)->first;
      break;
    }
    answer["Functions"].push_back(configuration_json(at->second.function, options_->region));
  }
  return reply(200, answer);
}

LambdaApi::Answer LambdaApi::remove(const std::string& name) {
  const auto entry = find(name);
  if (!entry) return tl::unexpected(entry.error());
  scheduler_->retire(name);
  functions_->remove(name);
  return HttpResponse{.status = 204};
}

asio::awaitable<LambdaApi::Answer> LambdaApi::invoke(HttpRequest& request, const std::string& name, std::string body) {
  using namespace asio::experimental::awaitable_operators;
  TRY_LAMBDA(entry, find(name));
  const std::string_view kind = request.header("x-amz-invocation-type");
  if (!kind.empty() && kind != "RequestResponse" && kind != "Event" && kind != "DryRun")
    co_return wrong(400, "InvalidParameterValueException", fmt::format("Invalid InvocationType: {}", kind));
  if (const auto qualifier = request.parameter("Qualifier"); qualifier && *qualifier != "$LATEST")
    co_return wrong(404, "ResourceNotFoundException",
                    fmt::format("Function not found: {}:{}", function_arn(options_->region, name), *qualifier));
  if (const auto log = request.header("x-amz-log-type"); !log.empty() && log != "None" && log != "Tail")
    co_return wrong(400, "ValidationException",
                    "1 validation error detected: the value at 'logType' failed to satisfy constraint: Member must "
                    "satisfy enum value set: [None, Tail]");
  if (request.has_header("x-amz-client-context"))
    co_return wrong(400, "InvalidParameterValueException", "A client context is not handed on here.");
  if (body.empty()) body = "{}";
  if (!Json::accept(body))
    co_return wrong(400, "InvalidRequestContentException", "Could not parse request body into json.");
  if (kind == "DryRun") co_return HttpResponse{.status = 204};

  InvocationRequest invocation{.request_id = make_uuid(), .payload = std::move(body)};
  const NamedValues headers = {{"x-amzn-RequestId", invocation.request_id}, {"X-Amz-Executed-Version", "$LATEST"}};
  if (kind == "Event") {
    if (const auto queued = scheduler_->invoke_later(name, std::move(invocation)); !queued)
      co_return tl::unexpected(queued.error());
    co_return HttpResponse{.status = 202, .headers = headers};
  }
  TRY_LAMBDA(pending, scheduler_->invoke(*entry, std::move(invocation)));
  // The function goes on, and is billed, whether or not its caller stays.
  auto finished = co_await (pending->outcome() || request.client_gone());
  if (finished.index() == 1) co_return HttpResponse{.status = 503};
  InvocationOutcome outcome = std::get<0>(std::move(finished));
  HttpResponse response{.status = 200, .headers = headers, .body = std::move(outcome.payload)};
  response.headers.emplace_back("Content-Type", "application/json");
  if (outcome.failed) response.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
  if (request.header("x-amz-log-type") == "Tail")
    response.headers.emplace_back("X-Amz-Log-Result", base64(outcome.log_tail));
  co_return response;
}

}  // namespace funcpipe
