#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// The names of all files that a training may leave in its results folder.
std::span<const std::string_view> result_files();

// The folder that a job's results go to. Files are made in staging(), and commit() puts all of them into the folder
// together. So a run that fails or is interrupted leaves no half result and does not touch those of a former run. One
// process at a time holds the folder.
//
//   FOLDER/.partial/   staging(); emptied when the folder is opened
//   FOLDER/.commit/    complete results on the disk, on their way into FOLDER; opening the folder finishes the way
//   FOLDER/.runs/ID/   what is needed to finish or clear away the run ID (job/run_record.h)
//   FOLDER/cloud/      the embedded cloud
//
// Files of these names that somebody else has put there are left alone. Ours are .partial and .commit folders that
// contain our mark (the file .funcpipe-made), a .commit with a list of results that fits its content, and a .runs
// folder.
class ResultsFolder {
 public:
  // Creates what is missing, including staging(), and finishes an interrupted commit. Errors: unavailable if another
  // process holds the folder for more than a moment, already_exists if something that is not ours is in the way,
  // permission_denied, exhausted.
  static Result<ResultsFolder> open(const std::filesystem::path& folder);
  // Does the same with a folder that must exist (else not_found), but does not wait and does not make staging().
  static Result<ResultsFolder> open_dead(const std::filesystem::path& folder);
  // Makes staging() in a folder opened by open_dead(). Errors: as of open().
  Result<> make_staging();
  ResultsFolder(ResultsFolder&& other) noexcept;
  ResultsFolder& operator=(ResultsFolder&&) = delete;
  ~ResultsFolder();  // removes what was not committed, and the folder if it is empty

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path staging() const { return folder_ / ".partial"; }
  std::filesystem::path runs() const { return folder_ / ".runs"; }
  std::filesystem::path cloud() const { return folder_ / "cloud"; }  // objects and logs of the embedded cloud

  // What opening removed or finished of what a former process left, in phrases such as "removed ...".
  const std::vector<std::string>& cleared() const { return cleared_; }
  // What has a name of ours but is not ours.
  const std::vector<std::filesystem::path>& foreign() const { return foreign_; }

  // Replaces the results of a former run by the files of staging(). Former results that the new run lacks are deleted;
  // other files stay. Once the new files are on the disk they win, whenever the process ends. An error leaves either
  // the former results complete or the new ones in .commit.
  Result<> commit();

 private:
  ResultsFolder(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  static Result<ResultsFolder> set_up(ResultsFolder held);
  Result<> look_for_former();
  Result<> finish_commit();
  std::filesystem::path folder_;
  std::vector<std::string> cleared_;
  std::vector<std::filesystem::path> foreign_;
  int lock_;  // the folder's descriptor, which has a lock (flock); -1 once moved from
};

}  // namespace funcpipe
