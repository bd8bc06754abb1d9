// Works out, before a job starts, how the limited lifetime of functions affects it.
#pragma once

#include "base/error.h"
#include "catalog/platform.h"
#include "protocol/job_spec.h"
#include "schedule/life_span.h"

namespace funcpipe {

// Bytes of one snapshot of each stage, all stages together: parameters, optimiser state, buffers.
double all_snapshot_bytes(const JobSpec& spec);

// Returns the longest replacement of any worker of the job, estimated from bytes, bandwidth and latency.
HandOver foretold_hand_over(const JobSpec& spec, const Platform& platform);

// Sets spec.hand_over. `iteration` is the seconds of an iteration; 0: unknown. Errors: invalid_input if the job cannot
// progress within the platform's lifetime, or a function cannot have this lifetime.
Result<> foresee_lifetimes(JobSpec& spec, const Platform& platform, Seconds iteration);

}  // namespace funcpipe
