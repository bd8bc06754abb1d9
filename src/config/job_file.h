// Reads JOB.toml and the command line into a checked JobConfig.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

// A function's name contains the job's name and has at most 64 characters.
inline constexpr std::size_t kLongestJobName = 40;

// An option on the command line: "--training.steps 100" is {"training.steps", "100"}.
struct Override {
  std::string name;
  std::string value;
  std::string flag = "--" + name;  // As the user typed it, for messages.
};

// Reads a job. The command line counts before the file, and the file before the defaults; options that exclude each
// other are settled by settle_precedence (config/precedence.h). Error: invalid_input. Its place is file:line:column or
// the flag, and for an unknown section or key it names the nearest known one.
Result<JobConfig> load_job_config(const std::filesystem::path& file, const std::vector<Override>& overrides = {});

// Does the same with `text` as the content of `file`.
Result<JobConfig> parse_job_config(std::string_view text, const std::filesystem::path& file,
                                   const std::vector<Override>& overrides = {});

}  // namespace funcpipe
