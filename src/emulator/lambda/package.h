// Deployment packages: unpacks a zip into a folder and removes the folder when the package is replaced.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// The error message for a package that is too large.
inline constexpr const char* kPackageTooLarge = "the unpacked package is too large";

// Unpacks a zip into `folder`, which must be empty or missing. Permission bits are kept. Nothing is written outside of
// the folder, whatever names or links the entries have. A failure leaves no folder. Errors: corrupt (not a zip, or
// damaged), invalid_input (an entry leads outside, or two entries cannot both be kept), exhausted (more than
// `size_limit` bytes or 100,000 entries, or the disk is full), permission_denied, already_exists (the folder is not
// empty).
Result<> unpack_zip(std::string_view zip, const std::filesystem::path& folder, std::optional<Bytes> size_limit);

// The subfolder with the zip's content. The mark of the package's folder lies beside it, where a function does not find
// it.
inline constexpr const char* kPackageFiles = "files";

// An unpacked package that a function's instances run in. Once it is replaced, the last of them removes its folder.
struct UnpackedPackage {
  std::filesystem::path folder;  // owned (base/owned_folder.h)
  std::filesystem::path files;   // a subfolder of `folder`; earlier releases used the folder itself
  bool replaced = false;
  ~UnpackedPackage();
};

}  // namespace funcpipe
