#pragma once

#include <filesystem>
#include <utility>

#include "base/error.h"

namespace funcpipe {

// A descriptor that closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Opens a regular file for reading. A folder, a pipe, a socket or a device is refused without being opened, since that
// may wait for ever: invalid_input. Other errors: not_found, permission_denied.
Result<FileDescriptor> open_regular_file(const std::filesystem::path& path);

// Whether a folder, or a regular file, is at `path` itself: of a link that leads to one it is not.
bool is_folder_itself(const std::filesystem::path& path);
bool is_file_itself(const std::filesystem::path& path);

}  // namespace funcpipe
