// What ends of functions' lifetimes mean for a job, before it starts.
#pragma once

#include "base/error.h"
#include "catalog/platform.h"
#include "protocol/job_spec.h"
#include "schedule/life_span.h"

namespace funcpipe {

// The longest replacement of any of the job's workers, foretold from bytes, bandwidth and latency.
HandOver foretold_hand_over(const JobSpec& spec, const Platform& platform);

// Sets spec.hand_over. `iteration`: seconds of one, if they are known; else 0. Error: invalid_input: lives of the
// platform's lifetime get nowhere, or a function cannot have this lifetime.
Result<> foresee_lifetimes(JobSpec& spec, const Platform& platform, Seconds iteration);

}  // namespace funcpipe
