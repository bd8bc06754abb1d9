// Deployment packages: a zip's bytes become a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// Unpacks into `folder`, made anew; keeps permission bits. Nothing is written outside of it, whatever the entries'
// names or links say. A failure leaves no folder. Errors: corrupt (no zip, or a damaged one), invalid_input (an entry
// that leads outside), exhausted (more than `size_limit` bytes unpacked, or the disk is full), permission_denied.
Result<> unpack_zip(std::string_view zip, const std::filesystem::path& folder, std::optional<Bytes> size_limit);

}  // namespace funcpipe
