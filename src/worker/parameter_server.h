// The machine that sums what all functions push: no model, no data, one buffer as large as the gradient.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/invocation.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

// Plays the parameter server's part of the whole job. Its functions may validate and be replaced meanwhile: it waits
// ten times training.wait_limit for what they push.
Result<WorkerAnswer> run_parameter_server(const JobSpec& spec, const WorkerInvocation& invocation, Store& store,
                                          Clock& clock, std::stop_token stop);

}  // namespace funcpipe
