// The environment variables of a function instance, as on Lambda, and the account it acts under. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "emulator/credential_table.h"
#include "emulator/lambda/function.h"

namespace funcpipe {

struct InstanceNames {
  std::string log_stream;
  std::filesystem::path task_root, scratch;
  std::string runtime_api;  // host:port
  std::string s3_url, region;
};

// Returns all variables as "NAME=value". Of the emulator's own environment only LD_LIBRARY_PATH is passed on.
std::vector<std::string> instance_environment(const LambdaFunction& function, const InstanceNames& names,
                                              const Credentials& credentials);

// Makes an account with new credentials and the bandwidth of the function's memory size. It may use the part of the
// store that the function's environment names (store_scope.h).
Account instance_account(const Platform& platform, const LambdaFunction& function, const StoreLinks& store,
                         double dilation);

}  // namespace funcpipe
