#include "emulator/lambda/function.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/json_complaint.h"
#include "emulator/lambda/bounded_json.h"
#include "emulator/store_scope.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

using Json = nlohmann::json;

constexpr int kSmallestMemoryMb = 128, kLargestMemoryMb = 10'240;  // Lambda's own limits, for platforms without options
constexpr int kVersion = 1;                                        // of the form kept on disk, docs/formats/function.md
constexpr std::size_t kEnvironmentLimit = 4096;
constexpr std::size_t kLongestText = 512;
constexpr const char* kAccount = "000000000000";

constexpr std::array kReservedNames = {"_HANDLER",
                                       "_X_AMZN_TRACE_ID",
                                       "AWS_DEFAULT_REGION",
                                       "AWS_REGION",
                                       "AWS_ACCESS_KEY",
                                       "AWS_ACCESS_KEY_ID",
                                       "AWS_SECRET_ACCESS_KEY",
                                       "AWS_SESSION_TOKEN",
                                       "LAMBDA_TASK_ROOT",
                                       "AWS_LAMBDA_RUNTIME_API",
                                       "AWS_LAMBDA_FUNCTION_NAME",
                                       "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                       "AWS_LAMBDA_FUNCTION_VERSION",
                                       "AWS_LAMBDA_LOG_GROUP_NAME",
                                       "AWS_LAMBDA_LOG_STREAM_NAME"};

bool all_of(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && std::ranges::all_of(text, allowed);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_account(std::string_view text) {
  return text.size() == 12 && all_of(text, is_digit);
}
bool is_partition(std::string_view text) {
  return all_of(text, [](char c) { return is_lower(c) || c == '-'; });
}

// Removes the word before the next ':' from `text` and returns it; nullopt if there is no ':'.
std::optional<std::string_view> take_word(std::string_view& text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const auto word = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  return word;
}

// True for arn:PARTITION:iam::ACCOUNT:role/NAME.
bool is_role(std::string_view text) {
  if (text.size() > 512 || take_word(text) != "arn") return false;
  const auto partition = take_word(text);
  if (!partition || !is_partition(*partition) || take_word(text) != "iam" || take_word(text) != "") return false;
  const auto account = take_word(text);
  if (!account || !is_account(*account) || !text.starts_with("role")) return false;
  return all_of(text.substr(4), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("_+=,.@/-").find(c) != std::string_view::npos;
  });
}

bool is_variable_name(std::string_view text) {
  return text.size() >= 2 && is_letter(text[0]) &&
         all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

// Shortens a refused value for an error message.
std::string excerpt(std::string text) {
  constexpr std::size_t kMost = 200;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

tl::unexpected<LambdaError> invalid(std::string message) {
  return tl::unexpected(LambdaError{400, "InvalidParameterValueException", std::move(message)});
}

tl::unexpected<LambdaError> constraint(const std::string& value, const std::string& field, const std::string& rule) {
  return tl::unexpected(LambdaError{400, "ValidationException",
                                    fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                                                "constraint: {}",
                                                excerpt(value), field, rule)});
}

LambdaResult<> take_number(const Json& request, const char* key, const char* field, int low, int high, int& number) {
  if (!request.contains(key) || request[key].is_null()) return {};
  const Json& value = request[key];
  if (!value.is_number_integer()) return constraint(to_text(value), field, "Member must be an integer");
  const auto wanted = value.get<long long>();
  if (wanted < low)
    return constraint(to_text(value), field, fmt::format("Member must have value greater than or equal to {}", low));
  if (wanted > high)
    return constraint(to_text(value), field, fmt::format("Member must have value less than or equal to {}", high));
  number = static_cast<int>(wanted);
  return {};
}

LambdaResult<> take_vcpus(const Json& request, double& vcpus) {
  if (!request.contains("Cpu") || request["Cpu"].is_null()) return {};
  const Json& value = request["Cpu"];
  if (!value.is_number() || !(value.get<double>() > 0))
    return constraint(to_text(value), "cpu", "Member must be a number greater than 0");
  vcpus = value.get<double>();
  return {};
}

LambdaResult<> take_text(const Json& request, const char* key, std::string& text) {
  if (!request.contains(key) || request[key].is_null()) return {};
  if (!request[key].is_string()) return constraint(to_text(request[key]), key, "Member must be a string");
  std::string wanted = request[key].get<std::string>();
  if (wanted.size() > kLongestText)
    return constraint(wanted, key, fmt::format("Member must have length less than or equal to {}", kLongestText));
  text = std::move(wanted);
  return {};
}

LambdaResult<> take_environment(const Json& request, std::map<std::string, std::string>& environment) {
  if (!request.contains("Environment") || request["Environment"].is_null()) return {};
  const Json& outer = request["Environment"];
  if (!outer.is_object()) return constraint(to_text(outer), "environment", "Member must be a structure");
  std::map<std::string, std::string> wanted;
  std::size_t size = 0;
  const Json variables = outer.value("Variables", Json::object());
  if (!variables.is_object()) return constraint(to_text(variables), "environment.variables", "Member must be a map");
  for (const auto& [name, value] : variables.items()) {
    if (std::ranges::find(kReservedNames, name) != kReservedNames.end())
      return invalid(
          "Lambda was unable to configure your environment variables because the environment variables you have "
          "provided "
          "contains reserved keys that are currently not supported for modification. Reserved keys used in this "
          "request: " +
          name);
    if (!is_variable_name(name))
      return constraint(name, "environment.variables",
                        "Map keys must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+");
    if (!value.is_string()) return constraint(to_text(value), "environment.variables", "Map values must be strings");
    wanted[name] = value.get<std::string>();
    if (wanted[name].find('\0') != std::string::npos)
      return constraint(name, "environment.variables", "Map values must not hold a NUL");
    if (name == kStoreScopeVariable)
      if (const auto scope = parse_store_scope(wanted[name]); !scope) return invalid(scope.error().message);
    size += name.size() + wanted[name].size();
  }
  if (size > kEnvironmentLimit)
    return invalid(
        fmt::format("Lambda was unable to configure your environment variables because the environment "
                    "variables you have provided exceeded the {} bytes limit.",
                    kEnvironmentLimit));
  environment = std::move(wanted);
  return {};
}

// Refuses fields that would be dropped silently. Allowed are those that are kept and those that only state what holds
// anyway.
LambdaResult<> refuse_unkept(const Json& request) {
  static constexpr std::array<std::string_view, 13> kKept = {
      "FunctionName", "Role",        "Runtime", "Handler",          "Description",   "MemorySize", "Cpu",
      "Timeout",      "Environment", "Code",    "EphemeralStorage", "Architectures", "RevisionId"};
  for (const auto& [name, value] : request.items()) {
    if (value.is_null() || std::ranges::find(kKept, name) != kKept.end()) continue;
    const bool as_it_is = (name == "PackageType" && value == "Zip") || (name == "Publish" && value == false) ||
                          (name == "TracingConfig" && value == Json{{"Mode", "PassThrough"}}) ||
                          ((value.is_object() || value.is_array()) && value.empty());
    if (!as_it_is)
      return invalid(fmt::format("{} is not served here with the value {}", excerpt(name), excerpt(to_text(value))));
  }
  return {};
}

#define TRY_LAMBDA(...) \
  if (auto result = (__VA_ARGS__); !result) return tl::unexpected(std::move(result).error())

}  // namespace

LambdaResult<> apply_configuration(const Json& request, const Platform& platform, LambdaFunction& function) {
  TRY_LAMBDA(refuse_unkept(request));
  const auto& options = platform.sizes;
  const int smallest = options.empty() ? kSmallestMemoryMb : std::min(kSmallestMemoryMb, options.front().memory_mb);
  const int largest = options.empty() ? kLargestMemoryMb : options.back().memory_mb;
  const int lifetime = std::max(1, static_cast<int>(platform.limits.lifetime));
  TRY_LAMBDA(take_number(request, "MemorySize", "memorySize", smallest, largest, function.memory_mb));
  TRY_LAMBDA(take_vcpus(request, function.vcpus));
  if (function.vcpus > 0 && !platform.size(function.memory_mb, function.vcpus))
    return invalid(
        fmt::format("{} does not offer {:g} vCPUs with {} MB", platform.name, function.vcpus, function.memory_mb));
  TRY_LAMBDA(take_number(request, "Timeout", "timeout", 1, lifetime, function.timeout_seconds));
  if (request.contains("EphemeralStorage") && !request["EphemeralStorage"].is_null() &&
      !request["EphemeralStorage"].is_object())
    return constraint(to_text(request["EphemeralStorage"]), "ephemeralStorage", "Member must be a structure");
  if (request.contains("EphemeralStorage"))
    TRY_LAMBDA(
        take_number(request["EphemeralStorage"], "Size", "ephemeralStorage.size", 512, 10'240, function.ephemeral_mb));
  TRY_LAMBDA(take_text(request, "Role", function.role));
  TRY_LAMBDA(take_text(request, "Runtime", function.runtime));
  TRY_LAMBDA(take_text(request, "Handler", function.handler));
  TRY_LAMBDA(take_text(request, "Description", function.description));
  if (!function.runtime.starts_with("provided"))
    return invalid(
        fmt::format("The runtime parameter of {} is not supported here: functions bring their own runtime "
                    "(provided.al2023, provided.al2)",
                    function.runtime));
  if (!is_role(function.role))
    return constraint(function.role, "role",
                      "Member must satisfy regular expression pattern: "
                      "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
  if (request.contains("Architectures")) TRY_LAMBDA(take_architecture(request["Architectures"], function));
  return take_environment(request, function.environment);
}

LambdaResult<> take_architecture(const Json& list, LambdaFunction& function) {
  if (list.is_null() || (list.is_array() && list.empty())) return {};
  const std::string architecture =
      list.is_array() && list.size() == 1 && list[0].is_string() ? list[0].get<std::string>() : "";
  if (architecture != "x86_64" && architecture != "arm64")
    return constraint(to_text(list), "architectures", "Member must satisfy enum value set: [x86_64, arm64]");
  if (architecture != "x86_64")
    return invalid(fmt::format("The architecture {} is not served here: functions run on x86_64", architecture));
  function.architecture = architecture;
  return {};
}

LambdaResult<std::string> function_name(const std::string& text) {
  const auto wrong = [&] {
    return constraint(text, "functionName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+");
  };
  std::string_view rest = text;
  constexpr std::string_view kLatest = ":$LATEST";
  if (rest.ends_with(kLatest)) rest.remove_suffix(kLatest.size());
  if (rest.starts_with("arn:")) {
    take_word(rest);
    const auto partition = take_word(rest), service = take_word(rest), region = take_word(rest);
    if (!region || !is_partition(*partition) || service != "lambda" ||
        !all_of(*region, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; }))
      return wrong();
  }
  if (is_account(rest.substr(0, rest.find(':')))) take_word(rest);
  if (rest.starts_with("function:")) take_word(rest);
  if (rest.size() > 64 || !all_of(rest, [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }))
    return wrong();
  return std::string(rest);
}

std::string function_arn(const std::string& region, const std::string& name) {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", region, kAccount, name);
}

Json configuration_json(const LambdaFunction& function, const std::string& region) {
  Json json = {{"FunctionName", function.name},
               {"FunctionArn", function_arn(region, function.name)},
               {"Runtime", function.runtime},
               {"Role", function.role},
               {"Handler", function.handler},
               {"CodeSize", function.code_size},
               {"Description", function.description},
               {"Timeout", function.timeout_seconds},
               {"MemorySize", function.memory_mb},
               {"LastModified", function.last_modified},
               {"CodeSha256", function.code_sha256},
               {"Version", "$LATEST"},
               {"TracingConfig", {{"Mode", "PassThrough"}}},
               {"RevisionId", function.revision},
               {"State", "Active"},
               {"LastUpdateStatus", "Successful"},
               {"PackageType", "Zip"},
               {"Architectures", {function.architecture}},
               {"EphemeralStorage", {{"Size", function.ephemeral_mb}}}};
  if (function.vcpus > 0) json["Cpu"] = function.vcpus;
  if (!function.environment.empty()) json["Environment"] = {{"Variables", function.environment}};
  return json;
}

Json to_json(const LambdaFunction& function) {
  Json json = {{"version", kVersion},
               {"name", function.name},
               {"role", function.role},
               {"runtime", function.runtime},
               {"handler", function.handler},
               {"description", function.description},
               {"architecture", function.architecture},
               {"memory_mb", function.memory_mb},
               {"timeout_seconds", function.timeout_seconds},
               {"ephemeral_mb", function.ephemeral_mb},
               {"retries", function.retries},
               {"environment", function.environment},
               {"code_sha256", function.code_sha256},
               {"code_size", function.code_size},
               {"package", function.package},
               {"last_modified", function.last_modified},
               {"revision", function.revision}};
  if (function.vcpus > 0) json["vcpus"] = function.vcpus;
  return json;
}

Result<LambdaFunction> function_from_json(const Json& json, const std::string& place) {
  try {
    if (json.at("version") != kVersion)
      return fail(
          ErrorCode::corrupt,
          fmt::format("format version {}, this program reads version {}",
                      json.at("version").dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 40), kVersion),
          place, "it was written by another release; delete the function's folder and create it anew");
    LambdaFunction function;
    json.at("name").get_to(function.name);
    json.at("role").get_to(function.role);
    json.at("runtime").get_to(function.runtime);
    json.at("handler").get_to(function.handler);
    json.at("description").get_to(function.description);
    json.at("architecture").get_to(function.architecture);
    json.at("memory_mb").get_to(function.memory_mb);
    function.vcpus = json.value("vcpus", 0.0);
    json.at("timeout_seconds").get_to(function.timeout_seconds);
    json.at("ephemeral_mb").get_to(function.ephemeral_mb);
    json.at("retries").get_to(function.retries);
    json.at("environment").get_to(function.environment);
    json.at("code_sha256").get_to(function.code_sha256);
    json.at("code_size").get_to(function.code_size);
    json.at("package").get_to(function.package);
    json.at("last_modified").get_to(function.last_modified);
    json.at("revision").get_to(function.revision);
    return function;
  } catch (const Json::exception& error) {
    return fail(ErrorCode::corrupt, fmt::format("not a function's description: {}", json_complaint(error)), place,
                kDescriptionHint);
  }
}

std::string compact_uuid() {
  std::string digits = make_uuid();
  std::erase(digits, '-');
  return digits;
}

std::string make_uuid() {
  std::string raw(16, '\0');
  FUNCPIPE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), 16) == 1, "no randomness");
  raw[6] = static_cast<char>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3f) | 0x80);
  const std::string digits = hex(raw);
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

}  // namespace funcpipe
