#include "job/results_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

tl::unexpected<Error> cannot(const char* what, const std::error_code& status, const fs::path& path) {
  const bool full = status == std::errc::no_space_on_device || status == std::errc::file_too_large;
  return fail(full ? ErrorCode::exhausted : ErrorCode::permission_denied,
              fmt::format("cannot {}: {}", what, status.message()), path.string(),
              full ? "free some space" : "choose another place with --job.folder");
}

}  // namespace

Result<ResultsFolder> ResultsFolder::open(const fs::path& folder) {
  std::error_code status;
  const bool fresh = fs::create_directories(folder, status);
  if (status) return cannot("make the results folder", status, folder);
  if (fresh) fs::permissions(folder, fs::perms::owner_all, status);  // models and data are for their owner
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return cannot("open the results folder", {errno, std::generic_category()}, folder);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(ErrorCode::unavailable, "another run of this job is under way", folder.string(),
                "wait for it, or give this one another name with --job.name");
  }
  ResultsFolder held(folder, lock);
  fs::remove_all(held.staging(), status);
  fs::create_directories(held.staging(), status);
  if (status) return cannot("make the results folder", status, held.staging());
  return held;
}

ResultsFolder::ResultsFolder(ResultsFolder&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}

ResultsFolder::~ResultsFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(staging(), ignored);
  fs::remove(folder_, ignored);  // only if empty
  ::close(lock_);
}

Result<> ResultsFolder::commit() {
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(staging(), status)) {
    if (!entry.is_regular_file()) continue;
    fs::rename(entry.path(), folder_ / entry.path().filename(), status);
    if (status) return cannot("put the result in place", status, folder_ / entry.path().filename());
  }
  if (status) return cannot("read the results", status, staging());
  return {};
}

}  // namespace funcpipe
