#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/regular_file.h"
#include "base/units.h"

namespace funcpipe {

// Opens a data file for reading. The hints of its errors name the job file's [data]. Errors: not_found,
// permission_denied, or invalid_input if it is not a regular file.
Result<FileDescriptor> open_data_file(const std::filesystem::path& path);

// The bytes of a file, read-only. They are mapped, so only what is touched is read from disk. Columns that point into
// them share them.
struct MappedFile {
  std::shared_ptr<const std::byte> bytes;
  Bytes size = 0;
};
Result<MappedFile> map_file(const std::filesystem::path& path);  // invalid_input if the file is empty

// Returns the part of a mapped file from `offset` on. It keeps the whole mapping alive.
std::shared_ptr<const std::byte> part(const std::shared_ptr<const std::byte>& whole, Bytes offset);

}  // namespace funcpipe
