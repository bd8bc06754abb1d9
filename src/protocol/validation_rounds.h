#pragma once

#include <cstdint>
#include <optional>

#include "protocol/job_spec.h"

namespace funcpipe {

// Returns how many iterations are done when validation round `round` (from 0) takes place; the last round follows the
// job's last iteration. nullopt: there is no such round.
std::optional<std::int64_t> validation_iteration(const JobSpec& spec, std::int64_t round);

// Returns the plan of a round over `rows` samples. Its global batch is all of them.
Plan evaluation_plan(const JobSpec& spec, std::int64_t rows);

}  // namespace funcpipe
