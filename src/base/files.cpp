#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/regular_file.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

tl::unexpected<Error> not_regular(mode_t mode, const fs::path& path) {
  const char* kind = S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
  return fail(ErrorCode::invalid_input, fmt::format("is {}, not a regular file", kind), path.string(),
              S_ISDIR(mode) ? "name a file in it" : "name a regular file; what comes through it can be saved in one");
}

tl::unexpected<Error> cannot_read(int error, const fs::path& path) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return fail(missing ? ErrorCode::not_found : ErrorCode::permission_denied,
              fmt::format("cannot read: {}", std::strerror(error)), path.string());
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FileDescriptor> open_regular_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return cannot_read(errno, path);
  if (!S_ISREG(status.st_mode)) return not_regular(status.st_mode, path);
  // Somebody may have put a pipe there since stat(): O_NONBLOCK does not wait for it, and fstat() below finds it.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return cannot_read(errno, path);
  if (!S_ISREG(status.st_mode)) return not_regular(status.st_mode, path);
  return file;
}

bool is_folder_itself(const fs::path& path) {
  std::error_code status;
  return fs::is_directory(fs::symlink_status(path, status));
}

bool is_file_itself(const fs::path& path) {
  std::error_code status;
  return fs::is_regular_file(fs::symlink_status(path, status));
}

Result<std::string> read_file(const fs::path& path) {
  FUNCPIPE_TRY(file, open_regular_file(path));
  std::string content;
  std::vector<char> block(1 << 16);
  while (true) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(errno, path);
    if (got == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<> write_file(const fs::path& path, std::string_view content) {
  std::error_code status;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), status);
  // A device or a pipe is written to; a regular file is replaced.
  const bool replaces = !fs::exists(path, status) || fs::is_regular_file(path, status);
  const fs::path partial = replaces ? path.string() + fmt::format(".{}.partial", ::getpid()) : path.string();
  const auto failed = [&](int error) {
    const std::string reason = std::strerror(error);
    if (replaces) fs::remove(partial, status);
    return fail(error == ENOSPC ? ErrorCode::exhausted : ErrorCode::permission_denied,
                fmt::format("cannot write: {}", reason), path.string());
  };
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) return failed(errno);
  if (replaces) fs::rename(partial, path, status);
  if (replaces && status) return failed(status.value());
  return {};
}

Result<nlohmann::json> parse_json(std::string_view text, const std::string& place) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return fail(ErrorCode::invalid_input, fmt::format("not valid JSON at byte {}", error.byte), place);
  } catch (const nlohmann::json::out_of_range&) {
    return fail(ErrorCode::invalid_input, "a number in it is larger than any figure can be", place);
  }
}

Result<nlohmann::json> read_json(const fs::path& path) {
  FUNCPIPE_TRY(text, read_file(path));
  return parse_json(text, path.string());
}

}  // namespace funcpipe
