#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

// JOB.toml and the flags that override it: --SECTION.KEY VALUE for every option of the table, and shortcuts for the
// usual ones.
class JobArguments {
 public:
  static std::shared_ptr<JobArguments> add_to(CLI::App& command);  // shared with the parser's callbacks

  const std::string& file() const { return file_; }
  Result<JobConfig> load() const;

 private:
  CLI::App* command_ = nullptr;
  std::string file_;
  std::map<std::string, std::string> given_;  // a slot for every option; the parser knows which were typed
  std::string platform_, stages_, replicas_;
};

}  // namespace funcpipe
