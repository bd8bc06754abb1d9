// What a program must satisfy before anything else can be said of it: indices, lanes and fields.
#pragma once

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// Releases are of objects at most so many iterations old, less one.
inline constexpr int kMostReleaseAge = 2;

// Error: failed, naming the operation.
Result<> check_form(const Program& program);

// The error of an unsound operation.
Error unsound(const Program& program, int op, std::string what);

}  // namespace funcpipe
