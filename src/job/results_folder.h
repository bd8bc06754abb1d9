#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace funcpipe {

// The folder a job's results go to. Files are made in staging() and appear in the folder all together, by commit(), so
// neither a failed nor an interrupted run leaves half a result or touches that of a former run.
// Held by one process at a time.
class ResultsFolder {
 public:
  // Creates what is missing. Errors: unavailable (another run holds it), permission_denied, exhausted.
  static Result<ResultsFolder> open(const std::filesystem::path& folder);
  ResultsFolder(ResultsFolder&& other) noexcept;
  ResultsFolder& operator=(ResultsFolder&&) = delete;
  ~ResultsFolder();  // removes what was not committed, and the folder if it is left empty

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path staging() const { return folder_ / ".partial"; }
  std::filesystem::path cloud() const { return folder_ / "cloud"; }  // the embedded cloud's objects and logs

  // Moves every file of staging() into the folder, over those of a former run.
  Result<> commit();

 private:
  ResultsFolder(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  std::filesystem::path folder_;
  int lock_;  // the folder's descriptor, which holds a flock; -1 once moved from
};

}  // namespace funcpipe
