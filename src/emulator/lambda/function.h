// A function as CreateFunction describes it, and the rules AWS has for that description.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "catalog/platform.h"

namespace funcpipe {

// An error as the control API answers it: the exception's name, the HTTP status and a sentence.
struct LambdaError {
  int status = 400;
  std::string type;
  std::string message;
};

template <class T = void>
using LambdaResult = tl::expected<T, LambdaError>;

struct LambdaFunction {
  std::string name;
  std::string role;
  std::string runtime = "provided.al2023";
  std::string handler = "bootstrap";
  std::string description;
  std::string architecture = "x86_64";
  int memory_mb = 128;
  double vcpus = 0;  // 0: what the platform gives with the memory
  int timeout_seconds = 3;
  int ephemeral_mb = 512;
  int retries = 2;  // of asynchronous invocations that fail
  std::map<std::string, std::string> environment;

  std::string code_sha256;  // base64, of the zip
  Bytes code_size = 0;
  std::string package;  // the folder, below the function's own, that holds the unpacked zip
  std::string last_modified;
  std::string revision;  // changes with every change
};

// Takes over the fields `request` has (of CreateFunction or UpdateFunctionConfiguration) and checks them against AWS's
// rules and the platform's sizes and lifetime. Fields that would not be kept are refused. `Cpu`, a field of our own,
// names the vCPUs where the platform has several numbers of them for a memory.
LambdaResult<> apply_configuration(const nlohmann::json& request, const Platform& platform, LambdaFunction& function);

// The field `Architectures` of a request: x86_64, or none to leave it as it is.
LambdaResult<> take_architecture(const nlohmann::json& list, LambdaFunction& function);

// "name", "name:$LATEST", "123456789012:function:name" or an ARN -> the name; ValidationException for anything else.
LambdaResult<std::string> function_name(const std::string& text);
std::string function_arn(const std::string& region, const std::string& name);

// The FunctionConfiguration of the API's answers.
nlohmann::json configuration_json(const LambdaFunction& function, const std::string& region);

// The form kept on disk.
inline constexpr const char* kDescriptionHint =
    "choose another folder for the emulator; or, if an emulator wrote the file, delete the function's folder";
nlohmann::json to_json(const LambdaFunction& function);
Result<LambdaFunction> function_from_json(const nlohmann::json& json, const std::string& place);

std::string make_uuid();     // version 4: 32 hexadecimal digits in groups
std::string compact_uuid();  // without the dashes

}  // namespace funcpipe
