// Tries a job's model on its data, in every size of batch that the job will have, before anything must be paid for.
#pragma once

#include <stop_token>

#include "base/error.h"
#include "data/dataset.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Returns the sizes of the micro-batches that `total` samples make, the largest first. All replicas of a plan have the
// same sizes, except that of the last micro-batch.
std::vector<int> batch_sizes(std::int64_t total, int micro_batch);

// Refuses a model that does not accept one of the sizes, in training or in evaluation (says which sizes would work);
// whose loss is not finite before any training (names the first layer where that is so); or whose gradients are not
// finite. Errors: invalid_input.
Result<> try_model(const WorkerTool& worker, const JobSpec& spec, const Datasets& data, std::stop_token stop);

}  // namespace funcpipe
