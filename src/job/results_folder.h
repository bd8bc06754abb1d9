#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// The names of the files a training leaves, whichever of them it has reason to.
std::span<const std::string_view> result_files();

// The folder a job's results go to. Files are made in staging() and appear in the folder all together, by commit(), so
// neither a failed nor an interrupted run leaves half a result or touches that of a former run. Held by one process at
// a time.
//
//   FOLDER/.partial/   staging(); emptied by whoever opens the folder
//   FOLDER/.commit/    results complete and on the disk, on their way into FOLDER; whoever opens the folder finishes it
//   FOLDER/.runs/ID/   what the run ID needs to be finished or cleared away (job/run_record.h)
//   FOLDER/cloud/      the embedded cloud
class ResultsFolder {
 public:
  // Creates what is missing, and finishes a commit that was interrupted. Errors: unavailable (another process holds it
  // for longer than a moment), permission_denied, exhausted.
  static Result<ResultsFolder> open(const std::filesystem::path& folder);
  // The same of a folder that must be there (else not_found), at once or not at all.
  static Result<ResultsFolder> open_dead(const std::filesystem::path& folder);
  ResultsFolder(ResultsFolder&& other) noexcept;
  ResultsFolder& operator=(ResultsFolder&&) = delete;
  ~ResultsFolder();  // removes what was not committed, and the folder if it is left empty

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path staging() const { return folder_ / ".partial"; }
  std::filesystem::path runs() const { return folder_ / ".runs"; }
  std::filesystem::path cloud() const { return folder_ / "cloud"; }  // the embedded cloud's objects and logs

  // Replaces the results of a former run by the files of staging(): those the new run does not have are deleted, other
  // files of the folder stay. From the moment the new files are on the disk they win, whenever the process ends.
  // Errors leave either the former results whole, or the new ones in .commit.
  Result<> commit();

 private:
  ResultsFolder(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  static Result<ResultsFolder> set_up(ResultsFolder held);
  Result<> finish_commit();
  std::filesystem::path folder_;
  int lock_;  // the folder's descriptor, which holds a flock; -1 once moved from
};

}  // namespace funcpipe
