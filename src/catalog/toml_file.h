#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// Parses a TOML file's text: every one is read by this. The TOML library follows tables of tables by recursion, without
// end where keys have parts without end ("a.a.a..."), so such a text is refused before it sees it. Errors:
// invalid_input, with file, line and column.
Result<toml::table> parse_toml(std::string_view text, const std::filesystem::path& file);

}  // namespace funcpipe
