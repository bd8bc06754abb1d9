// libtorch's exceptions as one line for a person: no stack of C++, no trace of the interpreter.
#pragma once

#include <exception>
#include <string>

namespace funcpipe {

// The model's own message ("mat1 and mat2 shapes cannot be multiplied (...)"), at most 300 characters.
std::string first_lines(const std::exception& error);

}  // namespace funcpipe
