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
#include "base/owned_folder.h"
#include "base/regular_file.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 8> kResultFiles{"model.pt",  "state_dict.pt", "history.jsonl", "validation.json",
                                                       "plan.json", "job.json",      "bill.json",     "trace.json"};

constexpr std::string_view kNames = ".names";  // in .commit: the names of the new results, one on each line

// Another process may hold the lock for a moment, to see whether the folder's owner is alive.
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

// Flushes a file or folder to the disk.
Result<> put_on_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot("open", last_error(), path);
  // Not every file system supports it.
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOSYS;
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

// Returns a descriptor of the folder that holds its lock.
Result<int> lock(const fs::path& folder, bool create, int most_tries) {
  for (int tries = 1;; ++tries) {
    std::error_code status;
    const bool fresh = create && fs::create_directories(folder, status);
    if (status) return cannot("make the results folder", status, folder);
    if (fresh) fs::permissions(folder, fs::perms::owner_all, status);  // models and data are for their owner only
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT && !create)
      return fail(ErrorCode::not_found, "there is no such folder", folder.string());
    if (descriptor < 0 && errno != ENOENT) return cannot("open the results folder", last_error(), folder);
    // Its former holder may have removed the empty folder meanwhile.
    if (descriptor >= 0 && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_at(descriptor, folder)) return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    if (tries == most_tries)
      return fail(ErrorCode::unavailable, "another run of this job is under way", folder.string(),
                  "wait for it, or give this one another name with --job.name");
    std::this_thread::sleep_for(kLockPause);
  }
}

bool is_there(const fs::path& path) {
  std::error_code status;
  return fs::exists(fs::symlink_status(path, status));
}

std::vector<fs::path> content_of(const fs::path& folder, std::error_code& status) {
  std::vector<fs::path> content;
  for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status))
    content.push_back(at->path());
  return content;
}

// True for a folder whose maker had no time to mark it.
bool is_empty_but_for_a_mark(const fs::path& folder) {
  std::error_code status;
  const std::vector<fs::path> content = content_of(folder, status);
  return !status && std::ranges::all_of(content, [](const fs::path& file) {
    return is_file_itself(file) && file.filename().string().starts_with(kFolderMark);
  });
}

// Returns the names that a .commit lists; none if it is not a commit of ours.
std::vector<std::string> names_of_commit(const fs::path& commit) {
  if (!is_folder_itself(commit) || !is_file_itself(commit / kNames)) return {};
  const std::string list = read_file(commit / kNames).value_or("");
  if (!list.starts_with('\n') || !list.ends_with('\n')) return {};
  std::vector<std::string> names;
  for (std::size_t begin = 1, end = 0; begin < list.size(); begin = end + 1) {
    end = list.find('\n', begin);
    const std::string name = list.substr(begin, end - begin);
    if (std::ranges::find(kResultFiles, name) == kResultFiles.end()) return {};
    names.push_back(name);
  }
  std::error_code status;
  for (const fs::path& file : content_of(commit, status)) {
    const std::string name = file.filename();
    const bool known = name == kNames || name == kFolderMark || std::ranges::find(names, name) != names.end();
    if (!known || !is_file_itself(file)) return {};
  }
  return status ? std::vector<std::string>{} : names;
}

// Removes a .commit whose results are in place. Whenever the process ends, it can be told what the rest is.
Result<> remove_finished(const fs::path& commit) {
  std::error_code status;
  fs::remove(commit / kNames, status);
  if (!status) fs::remove(commit / kFolderMark, status);
  if (!status) fs::remove(commit, status);
  if (status) return cannot("remove", status, commit);
  return {};
}

tl::unexpected<Error> in_the_way(const fs::path& path) {
  return fail(ErrorCode::already_exists,
              "FuncPipe keeps unfinished results under this name, and did not make what is there", path.string(),
              "move it away, or choose another folder for the results");
}

}  // namespace

std::span<const std::string_view> result_files() {
  return kResultFiles;
}

Result<ResultsFolder> ResultsFolder::open(const fs::path& folder) {
  FUNCPIPE_TRY(descriptor, lock(folder, /*create=*/true, kLockTries));
  FUNCPIPE_TRY(held, set_up(ResultsFolder(folder, descriptor)));
  FUNCPIPE_TRY_VOID(held.make_staging());
  return held;
}

Result<ResultsFolder> ResultsFolder::open_dead(const fs::path& folder) {
  FUNCPIPE_TRY(descriptor, lock(folder, /*create=*/false, /*most_tries=*/1));
  return set_up(ResultsFolder(folder, descriptor));
}

Result<ResultsFolder> ResultsFolder::set_up(ResultsFolder held) {
  FUNCPIPE_TRY_VOID(held.look_for_former());
  return held;
}

Result<> ResultsFolder::look_for_former() {
  const fs::path complete = folder_ / ".commit";
  if (!names_of_commit(complete).empty()) {
    FUNCPIPE_TRY_VOID(finish_commit());
    cleared_.emplace_back("put the results in place that a former run had completed");
  } else if (is_owned_folder(complete) && is_empty_but_for_a_mark(complete)) {
    FUNCPIPE_TRY_VOID(remove_finished(complete));
  } else if (is_there(complete)) {
    foreign_.push_back(complete);
  }
  if (is_owned_folder(staging())) {
    FUNCPIPE_TRY_VOID(remove_owned_folder(staging()));
    cleared_.emplace_back("removed the unfinished results of a former run");
  } else if (is_there(staging())) {
    foreign_.push_back(staging());
  }
  if (is_there(runs()) && !is_folder_itself(runs())) foreign_.push_back(runs());
  return {};
}

Result<> ResultsFolder::make_staging() {
  for (const fs::path& path : foreign_)
    if (path == runs() || !is_folder_itself(path) || !is_empty_but_for_a_mark(path)) return in_the_way(path);
  foreign_.clear();
  ::rmdir((folder_ / ".commit").c_str());  // succeeds only if it is empty
  std::error_code status;
  fs::create_directories(staging(), status);
  if (status) return cannot("make the results folder", status, staging());
  return mark_owned_folder(staging());
}

ResultsFolder::ResultsFolder(ResultsFolder&& other) noexcept
    : folder_(std::move(other.folder_)),
      cleared_(std::move(other.cleared_)),
      foreign_(std::move(other.foreign_)),
      lock_(std::exchange(other.lock_, -1)) {}

ResultsFolder::~ResultsFolder() {
  if (lock_ < 0) return;
  (void)remove_owned_folder(staging());
  ::rmdir(runs().c_str());  // succeeds only for an empty folder
  ::rmdir(folder_.c_str());
  ::close(lock_);
}

Result<> ResultsFolder::commit() {
  std::error_code status;
  std::vector<fs::path> other;
  std::string names = "\n";
  for (const fs::directory_entry& entry : fs::directory_iterator(staging(), status)) {
    if (entry.path().filename() == kFolderMark) continue;
    const fs::path target = folder_ / entry.path().filename();
    if (!is_file_itself(entry.path()) ||
        std::ranges::find(kResultFiles, entry.path().filename().string()) == kResultFiles.end())
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
  fs::rename(staging(), folder_ / ".commit", status);  // from now on the new results win
  if (status) return cannot("put the results in place", status, folder_ / ".commit");
  FUNCPIPE_TRY_VOID(put_on_disk(folder_));
  return finish_commit();
}

Result<> ResultsFolder::finish_commit() {
  const fs::path complete = folder_ / ".commit";
  // The files of the run. Those that are missing from .commit were moved already.
  const std::vector<std::string> names = names_of_commit(complete);
  if (names.empty()) return in_the_way(complete);
  std::error_code status;
  for (const std::string_view name : kResultFiles) {
    if (std::ranges::find(names, name) == names.end()) fs::remove(folder_ / name, status);
    if (status) return cannot("delete a former result", status, folder_ / name);
  }
  for (const std::string& name : names) {
    if (!is_file_itself(complete / name)) continue;
    fs::rename(complete / name, folder_ / name, status);
    if (status) return cannot("put the result in place", status, folder_ / name);
  }
  FUNCPIPE_TRY_VOID(remove_finished(complete));
  return put_on_disk(folder_);
}

}  // namespace funcpipe
