// Plays one invocation of one worker: from its stage file or snapshot to the end of the job or to a hand-over.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/invocation.h"
#include "protocol/job_spec.h"
#include "protocol/validation_rounds.h"
#include "store/store.h"

namespace funcpipe {

// Plays the worker's share of the job from where its newest snapshot, or its stage file, begins. Before `deadline` (on
// `clock`; infinity: none) it saves a snapshot at an iteration boundary and answers "continue"; peers simply wait for
// its objects meanwhile, so training.wait_limit must exceed the time a new function takes to start. At least one
// iteration is played per call. At the end replica 0 of each stage leaves the stage at trained_key. A parameter server
// (worker/parameter_server.h) has no deadline.
Result<WorkerAnswer> run_worker(const JobSpec& spec, const WorkerInvocation& invocation, Store& store, Clock& clock,
                                Seconds deadline, std::stop_token stop = {});

}  // namespace funcpipe
