// Checks that a program is well formed (indices, lanes and fields), which all further checks rely on.
#pragma once

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// The largest Op::release_age that a program may have.
inline constexpr int kMostReleaseAge = 2;

// Error: failed, which names the operation.
Result<> check_form(const Program& program);

// Returns the error that operation `op` of the program is wrong because of `what`.
Error unsound(const Program& program, int op, std::string what);

}  // namespace funcpipe
