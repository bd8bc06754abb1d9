#include "emulator/lambda/package.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <string>

#include "base/owned_folder.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

struct CloseReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct CloseWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};

constexpr int kMostEntries = 100'000;
constexpr std::size_t kLongestName = 200;  // of an entry, in an error message

bool leads_outside(const fs::path& path) {
  if (path.is_absolute()) return true;
  for (const auto& part : path)
    if (part == "..") return true;
  return false;
}

tl::unexpected<Error> damaged(archive* reader) {
  const char* reason = archive_error_string(reader);
  return fail(ErrorCode::corrupt, fmt::format("not a readable zip: {}", reason ? reason : "unknown reason"));
}

// True if the zip alone is to blame: its names conflict, are too long or lead through a link. For the last case
// libarchive gives the number 0.
bool fault_of_zip(int number) {
  constexpr std::array kFaults = {0, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, ENAMETOOLONG, ELOOP};
  return std::find(kFaults.begin(), kFaults.end(), number) != kFaults.end();
}

// The error of a write. It does not reveal where on this machine `folder` is.
tl::unexpected<Error> unwritable(archive* writer, const fs::path& folder, const std::string& name) {
  const int number = archive_errno(writer);
  if (fault_of_zip(number))
    return fail(ErrorCode::invalid_input, "an entry of the zip cannot be where its name says", name);
  const char* words = archive_error_string(writer);
  std::string reason = words ? words : "unknown reason";
  const std::string prefix = folder.string() + "/";
  for (std::size_t at = 0; (at = reason.find(prefix, at)) != std::string::npos;) reason.erase(at, prefix.size());
  return fail(number == ENOSPC ? ErrorCode::exhausted : ErrorCode::permission_denied, "cannot unpack: " + reason, name);
}

// True if an entry `name` may be written in `folder`: there is nothing of that name, or the same kind of thing, and the
// path leads through folders only. Otherwise libarchive would silently replace a file or link by a folder, or the
// reverse.
bool free_for(const fs::path& folder, const fs::path& name, bool is_folder) {
  // libarchive could write it, but not everybody could read it.
  if ((folder / name).native().size() >= PATH_MAX) return false;
  fs::path at = folder;
  auto there = fs::file_type::directory;
  for (const auto& part : name) {
    if (part.empty() || part == ".") continue;
    if (there != fs::file_type::directory) return false;
    at /= part;
    std::error_code status;
    there = fs::symlink_status(at, status).type();
    if (status == std::errc::filename_too_long) return false;
    if (there == fs::file_type::not_found) return true;
  }
  return (there == fs::file_type::directory) == is_folder;
}

Result<> unpack_entry(archive* reader, archive_entry* entry, archive* writer, const fs::path& folder,
                      Bytes& bytes_left) {
  const char* raw_name = archive_entry_pathname(entry);
  const fs::path name = raw_name ? raw_name : "";
  if (name.empty() || leads_outside(name))
    return fail(ErrorCode::invalid_input, "an entry of the zip leads outside of its folder", name.string());
  if (const char* link = archive_entry_symlink(entry); link && leads_outside(link))
    return fail(ErrorCode::invalid_input, "a link in the zip leads outside of its folder", name.string());
  if (archive_entry_hardlink(entry)) return fail(ErrorCode::invalid_input, "the zip holds a hard link", name.string());
  const auto kind = archive_entry_filetype(entry);
  if (kind != AE_IFREG && kind != AE_IFDIR && kind != AE_IFLNK)
    return fail(ErrorCode::invalid_input, "the zip holds something other than files, folders and links", name.string());
  if (!free_for(folder, name, kind == AE_IFDIR))
    return fail(ErrorCode::invalid_input,
                "the zip holds a folder and something else of one name, or a name that is too long",
                name.string().substr(0, kLongestName));
  archive_entry_set_pathname(entry, (folder / name).c_str());
  // We must be able to read and to remove it, whatever the zip says.
  const auto own = kind == AE_IFDIR ? 0700 : 0600;
  archive_entry_set_perm(entry, (archive_entry_perm(entry) & 0777) | own);
  if (archive_write_header(writer, entry) != ARCHIVE_OK) return unwritable(writer, folder, name);
  for (;;) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader, &block, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) return damaged(reader);
    bytes_left -= static_cast<Bytes>(size);
    if (bytes_left < 0) return fail(ErrorCode::exhausted, kPackageTooLarge);
    if (archive_write_data_block(writer, block, size, offset) != ARCHIVE_OK) return unwritable(writer, folder, name);
  }
  if (archive_write_finish_entry(writer) != ARCHIVE_OK) return unwritable(writer, folder, name);
  return {};
}

Result<> unpack_all(std::string_view zip, const fs::path& folder, std::optional<Bytes> size_limit) {
  const std::unique_ptr<archive, CloseReader> reader(archive_read_new());
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK) return damaged(reader.get());
  const std::unique_ptr<archive, CloseWriter> writer(archive_write_disk_new());
  archive_write_disk_set_options(writer.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                   ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_UNLINK);
  Bytes bytes_left = size_limit.value_or(std::numeric_limits<Bytes>::max());
  archive_entry* entry = nullptr;
  for (int entries = 0;; ++entries) {
    if (entries == kMostEntries) return fail(ErrorCode::exhausted, kPackageTooLarge);
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return damaged(reader.get());
    FUNCPIPE_TRY_VOID(unpack_entry(reader.get(), entry, writer.get(), folder, bytes_left));
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return unwritable(writer.get(), folder, "");
  return {};
}

}  // namespace

Result<> unpack_zip(std::string_view zip, const fs::path& folder, std::optional<Bytes> size_limit) {
  std::error_code status;
  if (!fs::create_directories(folder, status) && status)
    return fail(ErrorCode::permission_denied, fmt::format("cannot make the folder: {}", status.message()),
                folder.string());
  if (!fs::is_empty(folder, status))
    return fail(ErrorCode::already_exists, "the folder for the package is not empty", folder.string());
  // Links on the way to the folder are the user's own. Only links inside are refused.
  auto result = unpack_all(zip, fs::canonical(folder, status), size_limit);
  if (!result) fs::remove_all(folder, status);
  return result;
}

UnpackedPackage::~UnpackedPackage() {
  if (replaced) (void)remove_owned_folder(folder);
}

}  // namespace funcpipe
