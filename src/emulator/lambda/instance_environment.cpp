#include "emulator/lambda/instance_environment.h"

#include <cstdlib>
#include <map>

namespace funcpipe {

std::vector<std::string> instance_environment(const LambdaFunction& function, const InstanceNames& names,
                                              const Credentials& credentials) {
  std::map<std::string, std::string> variables = {{"LANG", "en_US.UTF-8"},
                                                  {"PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"},
                                                  {"HOME", names.scratch},
                                                  {"TMPDIR", names.scratch},
                                                  {"TZ", ":UTC"},
                                                  {"AWS_ENDPOINT_URL_S3", names.s3_url},
                                                  {"LAMBDA_TASK_ROOT", names.task_root}};
  if (const char* libraries = std::getenv("LD_LIBRARY_PATH")) variables["LD_LIBRARY_PATH"] = libraries;
  for (const auto& [name, value] : function.environment) variables[name] = value;
  // On Lambda a function cannot set these variables.
  const std::map<std::string, std::string> reserved = {
      {"_HANDLER", function.handler},
      {"AWS_ACCESS_KEY_ID", credentials.access_key_id},
      {"AWS_DEFAULT_REGION", names.region},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.memory_mb)},
      {"AWS_LAMBDA_FUNCTION_NAME", function.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
      {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + function.name},
      {"AWS_LAMBDA_LOG_STREAM_NAME", names.log_stream},
      {"AWS_LAMBDA_RUNTIME_API", names.runtime_api},
      {"AWS_REGION", names.region},
      {"AWS_SECRET_ACCESS_KEY", credentials.secret_access_key},
      {"AWS_SESSION_TOKEN", credentials.session_token}};
  for (const auto& [name, value] : reserved) variables[name] = value;
  std::vector<std::string> environment;
  environment.reserve(variables.size());
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

Account instance_account(const Platform& platform, const LambdaFunction& function, const StoreLinks& store,
                         double dilation) {
  Account account{.credentials = CredentialTable::make(true), .label = function.name, .instance = true};
  if (const auto scope = function.environment.find(kStoreScopeVariable); scope != function.environment.end())
    // An invalid scope gives access to nothing.
    account.scope = parse_store_scope(scope->second).value_or(StoreScope{"-", "/"});
  const FunctionSize* size = platform.size(function.memory_mb, function.vcpus);
  if (!platform.limited || !platform.limit_network || !size) return account;
  const Burst burst{.bytes = platform.burst.bytes, .rate = platform.burst.rate / dilation};
  account.uplink = {std::make_shared<TokenBucket>(size->uplink / dilation, burst), store.uplink};
  account.downlink = {std::make_shared<TokenBucket>(size->downlink / dilation, burst), store.downlink};
  account.latency = {.put = platform.latency.put * dilation, .get = platform.latency.get * dilation};
  return account;
}

}  // namespace funcpipe
