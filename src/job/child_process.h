#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

struct ChildOutput {
  int exit_code = 0;  // 128 + the signal, if a signal killed it
  std::string out;
  std::string err;
};

// Runs a program to its end, in a process group of its own and with empty standard input. It gets this process's
// environment without the variables that are `left_out`, overridden by `environment`. A stop kills the group and gives
// cancelled. Errors: not_found if there is no such program, exhausted if no process can be started.
Result<ChildOutput> run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                              std::stop_token stop = {}, const std::map<std::string, std::string>& environment = {},
                              const std::function<bool(std::string_view variable)>& left_out = {});

}  // namespace funcpipe
