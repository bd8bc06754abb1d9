#pragma once

#include <cstdint>
#include <optional>

#include "protocol/job_spec.h"

namespace funcpipe {

// The iteration before which validation round `round` (from 0) takes place; the last one is at the job's last
// iteration. nullopt: there is no such round.
std::optional<std::int64_t> validation_iteration(const JobSpec& spec, std::int64_t round);

// The plan of a round over `rows` samples: their number is its global batch.
Plan evaluation_plan(const JobSpec& spec, std::int64_t rows);

}  // namespace funcpipe
