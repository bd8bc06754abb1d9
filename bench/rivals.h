#pragma once

#include <string>
#include <vector>

namespace funcpipe {

// Prints, for each profile (a made-up chain of 304 layers where there is none) and batches 16, 64 and 256, by how much
// our plans beat those of each rival. Returns the exit code.
int bench_rivals(const std::vector<std::string>& profiles);

}  // namespace funcpipe
