// Deployment packages: a zip's bytes become a folder, which goes when it is replaced.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// The message of the error about a package that is too large.
inline constexpr const char* kPackageTooLarge = "the unpacked package is too large";

// Unpacks into `folder`, which must be empty or missing; keeps permission bits. Nothing is written outside of it,
// whatever the entries' names or links say. A failure leaves no folder. Errors: corrupt (no zip, or a damaged one),
// invalid_input (an entry that leads outside, or two of which one would be lost), exhausted (more than `size_limit`
// bytes or 100,000 entries, or the disk is full), permission_denied, already_exists (the folder is not empty).
Result<> unpack_zip(std::string_view zip, const std::filesystem::path& folder, std::optional<Bytes> size_limit);

// In a package's folder: what was in the zip. The mark of the folder lies beside it, where no function finds it.
inline constexpr const char* kPackageFiles = "files";

// The unpacked package a function's instances run in; its folder goes with the last of them once it is replaced.
struct UnpackedPackage {
  std::filesystem::path folder;  // owned (base/owned_folder.h)
  std::filesystem::path files;   // in it; of earlier releases the folder itself
  bool replaced = false;
  ~UnpackedPackage();
};

}  // namespace funcpipe
