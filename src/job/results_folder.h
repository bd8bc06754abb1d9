#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
//
// Files of these names that somebody else put there stay as they are. Ours are .partial and .commit folders with our
// mark (the file .funcpipe-made) in them, a .commit with a list of results that fits what is in it, and a .runs folder.
class ResultsFolder {
 public:
  // Creates what is missing, staging() too, and finishes a commit that was interrupted. Errors: unavailable (another
  // process holds it for longer than a moment), already_exists (somebody else's is in the way), permission_denied,
  // exhausted.
  static Result<ResultsFolder> open(const std::filesystem::path& folder);
  // The same of a folder that must be there (else not_found), at once or not at all, and without staging().
  static Result<ResultsFolder> open_dead(const std::filesystem::path& folder);
  // Makes staging(), for one that was opened without. Errors as of open().
  Result<> make_staging();
  ResultsFolder(ResultsFolder&& other) noexcept;
  ResultsFolder& operator=(ResultsFolder&&) = delete;
  ~ResultsFolder();  // removes what was not committed, and the folder if it is left empty

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path staging() const { return folder_ / ".partial"; }
  std::filesystem::path runs() const { return folder_ / ".runs"; }
  std::filesystem::path cloud() const { return folder_ / "cloud"; }  // the embedded cloud's objects and logs

  // What opening it did to what a former process left, a phrase each: "removed ...".
  const std::vector<std::string>& cleared() const { return cleared_; }
  // What stands under a name of ours and is somebody else's.
  const std::vector<std::filesystem::path>& foreign() const { return foreign_; }

  // Replaces the results of a former run by the files of staging(): those the new run does not have are deleted, other
  // files of the folder stay. From the moment the new files are on the disk they win, whenever the process ends.
  // Errors leave either the former results whole, or the new ones in .commit.
  Result<> commit();

 private:
  ResultsFolder(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  static Result<ResultsFolder> set_up(ResultsFolder held);
  Result<> look_for_former();
  Result<> finish_commit();
  std::filesystem::path folder_;
  std::vector<std::string> cleared_;
  std::vector<std::filesystem::path> foreign_;
  int lock_;  // the folder's descriptor, which holds a flock; -1 once moved from
};

}  // namespace funcpipe
