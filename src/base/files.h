// Whole files in and out, with errors that name the file.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// Reads a regular file; links are followed. Errors: not_found, invalid_input (a folder, a pipe, a socket or a device,
// which is not opened, since that may wait for ever), permission_denied (also of a disk that cannot be read).
Result<std::string> read_file(const std::filesystem::path& path);

// Writes beside `path` and renames, so a reader (or a full disk) never sees half a file. Creates missing folders.
Result<> write_file(const std::filesystem::path& path, std::string_view content);

// Parses JSON; the error names `place` and the byte where it went wrong.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& place);
Result<nlohmann::json> read_json(const std::filesystem::path& path);

}  // namespace funcpipe
