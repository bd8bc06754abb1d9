// What the system allows this process.
#pragma once

#include <cstdint>

namespace funcpipe {

// How many files this process may have open (the soft limit).
std::uint64_t open_file_limit();

// Raises that to the most its owner may ask for (the hard limit); returns what holds now. Programs started later
// inherit it.
std::uint64_t raise_open_file_limit();

}  // namespace funcpipe
