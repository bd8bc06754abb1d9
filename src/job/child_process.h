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
  int exit_code = 0;  // 128 + signal if one killed it
  std::string out;
  std::string err;
};

// Runs a program to its end in a process group of its own, nothing on its standard input, with this process's
// environment and, over it, `environment`; of this process's own, variables that are `left_out` do not count. A stop
// kills the group: cancelled. Errors: not_found (no such program), exhausted (no process to be had).
Result<ChildOutput> run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                              std::stop_token stop = {}, const std::map<std::string, std::string>& environment = {},
                              const std::function<bool(std::string_view variable)>& left_out = {});

}  // namespace funcpipe
