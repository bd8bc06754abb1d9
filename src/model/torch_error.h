// libtorch's exceptions as text for a person: no stack of C++, no trace of the interpreter.
#pragma once

#include <exception>
#include <string>

namespace funcpipe {

// What the model raised ("ValueError: expected 9 features, got 8") or what an operation of it says ("mat1 and mat2
// shapes cannot be multiplied (...)"), at most 1,000 bytes; further lines of the model's own text follow the first.
std::string first_lines(const std::exception& error);

}  // namespace funcpipe
