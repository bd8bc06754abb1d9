// Checks, before anything is started, that the system allows the open files and processes that a job needs.
#pragma once

#include "base/error.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Checks the needs of this program apart from a job. Errors: exhausted.
Result<> check_own_needs();

// Checks the needs of a job. Errors: exhausted, with the limit, its value and the need.
Result<> check_process_needs(const JobSpec& spec);

}  // namespace funcpipe
