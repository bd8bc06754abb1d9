// Plays one invocation of one worker: from its stage file or snapshot to the end of the job or to a hand-over.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/error.h"
#include "config/invocation.h"
#include "config/job_spec.h"
#include "store/store.h"
#include "worker/validation_rounds.h"

namespace funcpipe {

// Plays the worker's share of the job from invocation.first_iteration on. Before `deadline` (a time of `clock`;
// infinity: none) it saves a snapshot at an iteration boundary and answers "continue". Its peers wait for its objects
// meanwhile, so training.wait_limit must exceed the time a new function takes to start. Each call plays at least one
// iteration. At the end, replica 0 of each stage stores the trained stage at trained_key. A parameter server
// (worker/parameter_server.h) has no deadline.
Result<WorkerAnswer> run_worker(const JobSpec& spec, const WorkerInvocation& invocation, Store& store, Clock& clock,
                                Seconds deadline, std::stop_token stop = {});

}  // namespace funcpipe
