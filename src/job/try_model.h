// Tries a job's model on its data in every size of batch that the job will really have, before anything is paid for.
#pragma once

#include <stop_token>

#include "base/error.h"
#include "data/dataset.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// The sizes of the micro-batches that `total` samples make, the largest first; of a plan they are the same on every
// replica but for the last micro-batch.
std::vector<int> batch_sizes(std::int64_t total, int micro_batch);

// Refuses a model that does not take one of the sizes, in training or in evaluation, with the sizes that would do; one
// whose loss is not finite before any training, with the first layer where that is so; and one whose gradients are not.
Result<> try_model(const WorkerTool& worker, const JobSpec& spec, const Datasets& data, std::stop_token stop);

}  // namespace funcpipe
