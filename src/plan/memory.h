// What an estimate of a worker's memory (estimated_memory, plan/plan.h) counts by.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace funcpipe {

// Parts of its own shard that a worker holds at most, on their way or waiting to be added, while it sums them over
// `replicas`; `elements` are the flat gradient's. Five: one that is added and as many on
// their way as a lane has by default; or more while they are small together (4 MiB). Programs keep
// to it (schedule/all_reduce.h).
int most_staged_parts(std::int64_t elements, int replicas);

// Plan::most_in_flight in samples: the last micro-batch may be a smaller one.
std::int64_t most_samples_in_flight(const Plan& plan, int stage);

}  // namespace funcpipe
