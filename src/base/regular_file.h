#pragma once

#include <filesystem>
#include <utility>

#include "base/error.h"

namespace funcpipe {

// Owns a file descriptor and closes it at the end of its life.
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

// Opens a regular file for reading and follows links. Errors: not_found; permission_denied; invalid_input for a folder,
// a pipe, a socket or a device, which is not opened because opening it may wait for ever.
Result<FileDescriptor> open_regular_file(const std::filesystem::path& path);

// Return whether `path` itself is a folder, or a regular file. They return false for a link that leads to one.
bool is_folder_itself(const std::filesystem::path& path);
bool is_file_itself(const std::filesystem::path& path);

}  // namespace funcpipe
