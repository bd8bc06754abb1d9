// Turns libtorch's exceptions into text for people, without C++ stack and interpreter trace.
#pragma once

#include <exception>
#include <string>

namespace funcpipe {

// Returns what the model raised ("ValueError: expected 9 features, got 8") or what one of its operations says ("mat1
// and mat2 shapes cannot be multiplied (...)"), at most 1,000 bytes. If the text is the model's own, its further lines
// follow the first.
std::string first_lines(const std::exception& error);

}  // namespace funcpipe
