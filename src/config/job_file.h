// From JOB.toml and the command line to a checked JobConfig.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

// A function's name, made of the job's, has at most 64 characters.
inline constexpr std::size_t kLongestJobName = 40;

// "--training.steps 100" is {"training.steps", "100"}.
struct Override {
  std::string name;
  std::string value;
  std::string flag = "--" + name;  // as it was typed, for messages
};

// Command line over file over default; what that leaves open is settled (config/precedence.h). Errors: invalid_input;
// the place is file:line:column or the flag, and an unknown section or key comes with the nearest known one.
Result<JobConfig> load_job_config(const std::filesystem::path& file, const std::vector<Override>& overrides = {});

// The same from text that stands for the content of `file`.
Result<JobConfig> parse_job_config(std::string_view text, const std::filesystem::path& file,
                                   const std::vector<Override>& overrides = {});

}  // namespace funcpipe
