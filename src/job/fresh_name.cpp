#include "job/fresh_name.h"

#include <fmt/format.h>

#include <filesystem>

#include "config/job_file.h"

namespace funcpipe {
namespace {

bool has_results(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  const std::filesystem::path results = std::filesystem::path(folder) / name;
  for (const char* file : {"model.pt", "state_dict.pt"})
    if (std::filesystem::exists(results / file, ignored)) return true;
  return false;
}

}  // namespace

std::string fresh_name(const JobConfig::Job& job) {
  std::string name = job.name;
  for (int number = 2; has_results(job.folder, name); ++number) {
    const std::string ending = fmt::format("-{}", number);
    name = job.name.substr(0, kLongestJobName - ending.size()) + ending;
  }
  return name;
}

}  // namespace funcpipe
