#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/platform.h"

namespace funcpipe {

// Parses "1,2,4" or "1-8,16", whole numbers of at least 1. Errors: invalid_input, with `flag` as the place.
Result<std::vector<int>> parse_number_list(const std::string& text, const std::string& flag);

// Parses "2048,4096:2": function sizes in MB, with vCPUs if they are chosen, too. Errors: as above.
Result<std::vector<SizeChoice>> parse_size_list(const std::string& text, const std::string& flag);

}  // namespace funcpipe
