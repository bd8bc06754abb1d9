#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace funcpipe {

// The candidate with the fewest single-letter edits (insert, delete, replace, swap of neighbours) from `word`; empty if
// none is close enough to be what was meant (more than a third of its letters, and at least two, would change).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace funcpipe
