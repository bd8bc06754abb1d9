#include "base/owned_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <vector>

#include "base/files.h"
#include "base/regular_file.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMarkText = "FuncPipe made this folder and will remove it.\n";
constexpr std::string_view kFormerMarkText =
    "The emulator of FuncPipe made the folder beside this file and will remove it.\n";

// Returns where an emulator of an earlier release put its mark.
fs::path former_mark_of(const fs::path& folder) {
  return folder.string() + std::string(kFolderMark);
}

bool holds(const fs::path& mark, std::string_view text) {
  return is_file_itself(mark) && read_file(mark).value_or("") == text;
}

bool has_mark(const fs::path& folder) {
  return is_folder_itself(folder) && holds(folder / kFolderMark, kMarkText);
}

bool has_former_mark(const fs::path& folder) {
  return holds(former_mark_of(folder), kFormerMarkText);
}

bool is_there(const fs::path& path) {
  std::error_code status;
  return fs::exists(fs::symlink_status(path, status));
}

// Removes everything in the folder except its mark. Goes on after something that cannot be removed, and returns the
// first error. Something that is gone already is no error: an instance and the ending emulator may both remove it.
std::error_code empty(const fs::path& folder) {
  std::error_code first, status;
  std::vector<fs::path> content;
  for (fs::directory_iterator found(folder, status), end; !status && found != end; found.increment(status))
    if (found->path().filename() != kFolderMark) content.push_back(found->path());
  if (is_there(folder)) first = status;
  for (const fs::path& path : content) {
    fs::remove_all(path, status);
    if (!first && is_there(path)) first = status;
  }
  return first;
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
  if (::mkdir(folder.c_str(), 0700) != 0) return cannot_make(errno, folder);
  auto marked = mark_owned_folder(folder);
  if (!marked) ::rmdir(folder.c_str());
  return marked;
}

Result<> mark_owned_folder(const fs::path& folder) {
  if (!is_folder_itself(folder)) return fail(ErrorCode::not_found, "there is no such folder", folder.string());
  const fs::path mark = folder / kFolderMark;
  std::error_code status;
  if (!is_file_itself(mark)) fs::remove(mark, status);  // Writing to a link would write to the file it leads to.
  return write_file(mark, kMarkText);
}

bool is_owned_folder(const fs::path& folder) {
  return has_mark(folder) || (is_folder_itself(folder) && has_former_mark(folder));
}

Result<> remove_owned_folder(const fs::path& folder) {
  const bool former = has_former_mark(folder);
  std::error_code status;
  if (is_owned_folder(folder)) {
    status = empty(folder);
    if (!status) fs::remove(folder / kFolderMark, status);
    if (!status) fs::remove(folder, status);
    // Somebody has put something there meanwhile.
    if (status == std::errc::directory_not_empty) (void)mark_owned_folder(folder);
  }
  if (!status && former && !is_there(folder)) fs::remove(former_mark_of(folder), status);
  if (status)
    return fail(ErrorCode::permission_denied, "cannot remove: " + status.message(), folder.string(),
                "remove it by hand, or choose another folder");
  return {};
}

int remove_owned_folders(const fs::path& parent, const std::string& keep) {
  std::set<fs::path> owned;
  std::error_code status;
  for (fs::directory_iterator found(parent, status), end; !status && found != end; found.increment(status)) {
    std::string name = found->path().filename();
    if (name.ends_with(kFolderMark)) name.resize(name.size() - kFolderMark.size());
    // A mark beside "." or ".." would mark this folder or the one above it.
    if (name.empty() || name == "." || name == ".." || name == keep) continue;
    if (is_owned_folder(parent / name) || has_former_mark(parent / name)) owned.insert(parent / name);
  }
  for (const auto& folder : owned) (void)remove_owned_folder(folder);
  return static_cast<int>(owned.size());
}

}  // namespace funcpipe
