// The result files of a comparison.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "comparison/comparison.h"

namespace funcpipe {

struct ResultFile {
  std::string name, content;
};
std::vector<ResultFile> result_files(const Comparison& comparison);
// Returns the best plan of every system for each aim as plan files MODEL-PLATFORM-BATCH-SYSTEM-AIM.json.
std::vector<ResultFile> plan_files(const Comparison& comparison);

// Makes the folder and checks that a file can be written in it. Error: invalid_input.
Result<> prepare_folder(const std::filesystem::path& folder);
Result<> write_results(const std::vector<ResultFile>& files, const std::filesystem::path& folder);

}  // namespace funcpipe
