#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// Parses the text of a TOML file. All of FuncPipe's TOML files are read by this function. The TOML library recurses
// once for every part of a dotted key ("a.a.a..."), so a text with a key of more than 32 parts is refused before the
// library sees it. Error: invalid_input, with file, line and column.
Result<toml::table> parse_toml(std::string_view text, const std::filesystem::path& file);

}  // namespace funcpipe
