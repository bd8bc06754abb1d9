// Reads and writes whole files. Errors name the file. Every function here is thread-safe.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// Reads a regular file and follows links. Errors: not_found; invalid_input for a folder, a pipe, a socket or a device,
// which is not opened because opening it may wait for ever; permission_denied, also if the disk cannot be read.
Result<std::string> read_file(const std::filesystem::path& path);

// Writes a file beside `path` and renames it, so that nobody reads half a file and a full disk leaves the old one.
// A pipe or a device is written to directly. Creates missing folders. Not for two threads that write the same path.
// Errors: exhausted (the disk is full), permission_denied.
Result<> write_file(const std::filesystem::path& path, std::string_view content);

// Parses JSON text. Error: invalid_input, with `place` and the byte where the text goes wrong.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& place);
Result<nlohmann::json> read_json(const std::filesystem::path& path);

}  // namespace funcpipe
