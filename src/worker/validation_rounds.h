#pragma once

#include <cstdint>
#include <optional>

#include "config/job_spec.h"

namespace funcpipe {

// The iteration before which validation round `round` (from 0) takes place; the last one is at the job's last
// iteration. nullopt: there is no such round.
std::optional<std::int64_t> validation_iteration(const JobSpec& spec, std::int64_t round);

}  // namespace funcpipe
