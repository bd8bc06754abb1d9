#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace funcpipe {

// Returns the candidate that needs the fewest single-letter edits (insert, delete, replace, swap of neighbours) to
// become `word`; upper case counts as lower case and '-' as '_'. Returns an empty string if `word` has more than 100
// letters or every candidate needs more edits than a third of its letters and more than two.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace funcpipe
