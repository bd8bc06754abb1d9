#include "job/results_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 8> kResultFiles{"model.pt",  "state_dict.pt", "history.jsonl", "validation.json",
                                                       "plan.json", "job.json",      "bill.json",     "trace.json"};

constexpr const char* kNames = ".names";  // in .commit: the new results, a line each

// Another process may look whether the folder's owner is alive.
constexpr int kLockTries = 20;
constexpr std::chrono::milliseconds kLockPause{100};

tl::unexpected<Error> cannot(const char* what, const std::error_code& status, const fs::path& path) {
  const bool full = status == std::errc::no_space_on_device || status == std::errc::file_too_large;
  return fail(full ? ErrorCode::exhausted : ErrorCode::permission_denied,
              fmt::format("cannot {}: {}", what, status.message()), path.string(),
              full ? "free some space" : "choose another place with --job.folder");
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// Files and folders alike.
Result<> put_on_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot("open", last_error(), path);
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOSYS;  // not every file system can
  const std::error_code status = last_error();
  ::close(descriptor);
  if (!synced) return cannot("put on the disk", status, path);
  return {};
}

bool is_at(int descriptor, const fs::path& path) {
  struct stat held {};
  struct stat there {};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
         held.st_dev == there.st_dev;
}

// A descriptor of the folder with its lock.
Result<int> lock(const fs::path& folder, bool create, int most_tries) {
  for (int tries = 1;; ++tries) {
    std::error_code status;
    const bool fresh = create && fs::create_directories(folder, status);
    if (status) return cannot("make the results folder", status, folder);
    if (fresh) fs::permissions(folder, fs::perms::owner_all, status);  // models and data are for their owner
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT && !create)
      return fail(ErrorCode::not_found, "there is no such folder", folder.string());
    if (descriptor < 0 && errno != ENOENT) return cannot("open the results folder", last_error(), folder);
    // Its former holder may have removed it, being empty.
    if (descriptor >= 0 && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_at(descriptor, folder)) return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    if (tries == most_tries)
      return fail(ErrorCode::unavailable, "another run of this job is under way", folder.string(),
                  "wait for it, or give this one another name with --job.name");
    std::this_thread::sleep_for(kLockPause);
  }
}

}  // namespace

std::span<const std::string_view> result_files() {
  return kResultFiles;
}

Result<ResultsFolder> ResultsFolder::open(const fs::path& folder) {
  FUNCPIPE_TRY(descriptor, lock(folder, /*create=*/true, kLockTries));
  return set_up(ResultsFolder(folder, descriptor));
}

Result<ResultsFolder> ResultsFolder::set_up(ResultsFolder held) {
  FUNCPIPE_TRY_VOID(held.finish_commit());
  std::error_code status;
  fs::remove_all(held.staging(), status);
  fs::create_directories(held.staging(), status);
  if (status) return cannot("make the results folder", status, held.staging());
  return held;
}

Result<ResultsFolder> ResultsFolder::open_dead(const fs::path& folder) {
  FUNCPIPE_TRY(descriptor, lock(folder, /*create=*/false, /*tries=*/1));
  return set_up(ResultsFolder(folder, descriptor));
}

ResultsFolder::ResultsFolder(ResultsFolder&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}

ResultsFolder::~ResultsFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(staging(), ignored);
  fs::remove(runs(), ignored);  // likewise only if empty
  fs::remove(folder_, ignored);
  ::close(lock_);
}

Result<> ResultsFolder::commit() {
  std::error_code status;
  std::vector<fs::path> other;
  std::string names = "\n";
  for (const fs::directory_entry& entry : fs::directory_iterator(staging(), status)) {
    const fs::path target = folder_ / entry.path().filename();
    if (!entry.is_regular_file())
      other.push_back(entry.path());
    else if (fs::is_directory(target))
      return fail(ErrorCode::already_exists, "a folder is where a result is to go", target.string(), "move it away");
    else
      names += entry.path().filename().string() + "\n";
  }
  if (status) return cannot("read the results", status, staging());
  for (const fs::path& working : other) fs::remove_all(working, status);  // stage files and the like
  FUNCPIPE_TRY_VOID(write_file(staging() / kNames, names));
  for (const fs::directory_entry& entry : fs::directory_iterator(staging(), status))
    FUNCPIPE_TRY_VOID(put_on_disk(entry.path()));
  FUNCPIPE_TRY_VOID(put_on_disk(staging()));
  fs::rename(staging(), folder_ / ".commit", status);  // from here on the new results win
  if (status) return cannot("put the results in place", status, folder_ / ".commit");
  FUNCPIPE_TRY_VOID(put_on_disk(folder_));
  return finish_commit();
}

Result<> ResultsFolder::finish_commit() {
  const fs::path complete = folder_ / ".commit";
  std::error_code status;
  if (!fs::exists(complete, status)) return {};
  // Which files the run has: those that are not in .commit any more have been moved already.
  const fs::path list = complete / kNames;
  FUNCPIPE_TRY(names, read_file(list));
  for (const std::string_view name : kResultFiles) {
    if (names.find(fmt::format("\n{}\n", name)) == std::string::npos) fs::remove(folder_ / name, status);
    if (status) return cannot("delete a former result", status, folder_ / name);
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(complete, status))
    if (entry.path() != list) files.push_back(entry.path());
  if (status) return cannot("read the results", status, complete);
  for (const fs::path& file : files) {
    fs::rename(file, folder_ / file.filename(), status);
    if (status) return cannot("put the result in place", status, folder_ / file.filename());
  }
  fs::remove_all(complete, status);
  if (status) return cannot("remove", status, complete);
  return put_on_disk(folder_);
}

}  // namespace funcpipe
