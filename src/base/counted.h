#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace funcpipe {

// Returns number and noun: "1 worker", "2 workers", "0 classes". `noun` is in the singular and has a regular plural.
std::string counted(std::int64_t number, std::string_view noun);

}  // namespace funcpipe
