// Whether the system lets a job have the open files and processes it needs: asked before anything is started.
#pragma once

#include "base/error.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// For whatever this program does besides a job.
Result<> check_own_needs();

// Errors: exhausted, with the limit, its value and the need.
Result<> check_process_needs(const JobSpec& spec);

}  // namespace funcpipe
