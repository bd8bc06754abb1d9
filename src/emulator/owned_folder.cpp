#include "emulator/owned_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/files.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMark = ".funcpipe-made";
constexpr std::string_view kMarkText =
    "The emulator of FuncPipe made the folder beside this file and will remove it.\n";

fs::path mark_of(const fs::path& folder) {
  return folder.string() + std::string(kMark);
}

tl::unexpected<Error> cannot_make(int error, const fs::path& folder) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EMLINK;
  return fail(full ? ErrorCode::exhausted : ErrorCode::permission_denied,
              fmt::format("cannot make the folder: {}", std::strerror(error)), folder.string(),
              full ? "make room on that disk, or choose another folder" : "choose a folder that can be written");
}

}  // namespace

Result<> make_private_folders(const fs::path& folder) {
  std::vector<fs::path> missing;  // the deepest first
  std::error_code status;
  for (fs::path at = fs::absolute(folder, status).lexically_normal(); !fs::exists(at, status); at = at.parent_path()) {
    if (at.has_filename()) missing.push_back(at);  // "runs/" ends in an empty name
    if (!at.has_relative_path()) break;
  }
  for (auto at = missing.rbegin(); at != missing.rend(); ++at)
    if (::mkdir(at->c_str(), 0700) != 0 && errno != EEXIST) return cannot_make(errno, *at);
  if (!fs::is_directory(folder, status)) return cannot_make(status ? status.value() : ENOTDIR, folder);
  return {};
}

Result<> make_owned_folder(const fs::path& folder) {
  FUNCPIPE_TRY_VOID(make_private_folders(folder.parent_path()));
  std::error_code status;
  if (fs::exists(folder, status)) return fail(ErrorCode::already_exists, "the folder exists", folder.string());
  FUNCPIPE_TRY_VOID(write_file(mark_of(folder), kMarkText));
  if (::mkdir(folder.c_str(), 0700) != 0) {
    const int error = errno;
    fs::remove(mark_of(folder), status);
    return cannot_make(error, folder);
  }
  return {};
}

void mark_owned_folder(const fs::path& folder) {
  std::error_code status;
  if (fs::is_directory(folder, status)) (void)write_file(mark_of(folder), kMarkText);
}

void remove_owned_folder(const fs::path& folder) {
  if (read_file(mark_of(folder)).value_or("") != kMarkText) return;
  std::error_code status;
  fs::remove_all(folder, status);
  if (!status) fs::remove(mark_of(folder), status);
}

int remove_owned_folders(const fs::path& parent, const std::string& keep) {
  std::vector<fs::path> owned;
  std::error_code status;
  for (fs::directory_iterator found(parent, status), end; !status && found != end; found.increment(status)) {
    const std::string name = found->path().filename();
    if (!name.ends_with(kMark)) continue;
    const std::string folder = name.substr(0, name.size() - kMark.size());
    if (!folder.empty() && folder != keep) owned.push_back(parent / folder);
  }
  for (const auto& folder : owned) remove_owned_folder(folder);
  return static_cast<int>(owned.size());
}

}  // namespace funcpipe
