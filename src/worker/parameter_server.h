// Plays the parameter server: a machine that sums the gradients that all functions push. It has no model and no data,
// only one buffer as large as the gradient.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/invocation.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

// Plays the server's part of the whole job. Functions may validate or be replaced meanwhile, so it waits
// kServerPatience (schedule/polling.h) times training.wait_limit for what they push.
Result<WorkerAnswer> run_parameter_server(const JobSpec& spec, const WorkerInvocation& invocation, Store& store,
                                          Clock& clock, std::stop_token stop);

}  // namespace funcpipe
