#pragma once

#include <string>
#include <string_view>

namespace funcpipe {

// Replaces every byte of a control character by a visible form such as \x1b, so that text from a file cannot steer a
// terminal. Control characters are the ASCII ones except line ends and tabs, and the Unicode ones U+0080 to U+009F.
// Bytes that are not valid UTF-8 are replaced too.
std::string visible(std::string_view text);

}  // namespace funcpipe
