// A function as CreateFunction describes it, and AWS's rules for that description. Source:
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "catalog/platform.h"

namespace funcpipe {

// An error of the control API: the HTTP status, the exception's name and a sentence.
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
  double vcpus = 0;  // 0: as many as the platform gives with the memory
  int timeout_seconds = 3;
  int ephemeral_mb = 512;
  int retries = 2;  // of an asynchronous invocation that failed
  std::map<std::string, std::string> environment;

  std::string code_sha256;  // SHA-256 of the zip, as base64
  Bytes code_size = 0;
  std::string package;  // the folder of the unpacked zip, relative to the function's own folder
  std::string last_modified;
  std::string revision;  // differs after every change
};

// Copies the fields of `request` (a CreateFunction or UpdateFunctionConfiguration) into `function`. Checks them against
// AWS's rules and the platform's sizes and lifetime. Fields that would have no effect are refused. `Cpu` is a field of
// our own: it chooses the vCPUs where the platform offers several numbers of them for one memory size.
LambdaResult<> apply_configuration(const nlohmann::json& request, const Platform& platform, LambdaFunction& function);

// Takes the field `Architectures` of a request: it must be x86_64 or missing.
LambdaResult<> take_architecture(const nlohmann::json& list, LambdaFunction& function);

// Returns the name in "name", "name:$LATEST", "123456789012:function:name" or an ARN. Errors: ValidationException for
// anything else.
LambdaResult<std::string> function_name(const std::string& text);
std::string function_arn(const std::string& region, const std::string& name);

// Returns the FunctionConfiguration that the API's answers contain.
nlohmann::json configuration_json(const LambdaFunction& function, const std::string& region);

// The JSON of a function's file on disk.
inline constexpr const char* kDescriptionHint =
    "choose another folder for the emulator; or, if an emulator wrote the file, delete the function's folder";
nlohmann::json to_json(const LambdaFunction& function);
Result<LambdaFunction> function_from_json(const nlohmann::json& json, const std::string& place);

std::string make_uuid();     // version 4: 32 hexadecimal digits in five groups
std::string compact_uuid();  // the same without dashes

}  // namespace funcpipe
