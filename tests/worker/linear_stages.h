// A job whose stages are made by hand, a linear layer with a running mean each: nothing is imported or cut.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe::testing {

struct LinearJob {
  int stages = 1, replicas = 2;
  SyncAlgorithm sync = SyncAlgorithm::pipelined;
  PipelineOrder order = PipelineOrder::gpipe;
  int micro_batches = 6;
  std::int64_t steps = 6;
};

// Puts the stage files and the data of training and validation where workers look for them, under `prefix`.
Result<JobSpec> publish_job(const LinearJob& job, Store& store, const std::string& prefix);

}  // namespace funcpipe::testing
