#pragma once

#include <string>
#include <string_view>

namespace funcpipe {

// The text with its control characters made visible, as \x1b: what a file has in it must not steer a terminal. Line
// ends and tabs stay, and so does UTF-8; of bytes that are none, and of C1 controls in it, each becomes \x... too.
std::string visible(std::string_view text);

}  // namespace funcpipe
