#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/regular_file.h"
#include "base/units.h"

namespace funcpipe {

// Opens a data file for reading; the hints of its errors speak of [data]. Errors: not_found, permission_denied,
// invalid_input (not a regular file).
Result<FileDescriptor> open_data_file(const std::filesystem::path& path);

// A file's bytes, read-only; mapped, so only what is touched is read. Shared, since columns point into it.
struct MappedFile {
  std::shared_ptr<const std::byte> bytes;
  Bytes size = 0;
};
Result<MappedFile> map_file(const std::filesystem::path& path);  // invalid_input if the file is empty

// The part of a mapped file that starts at `offset`, keeping the whole mapping alive.
std::shared_ptr<const std::byte> part(const std::shared_ptr<const std::byte>& whole, Bytes offset);

}  // namespace funcpipe
