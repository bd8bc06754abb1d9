// The training of a job as a plain single-process loop over the whole model, without anything of this project between
// the model and libtorch: what a job is compared with.
#pragma once

#include <functional>
#include <vector>

#include "in_process_job.h"

namespace funcpipe::testing {

// The micro-batches one after the other, each loss weighted by its share of the global batch, gradients added in that
// order. State that forward writes to is that of replica 0 of `replicas`, and each begins an iteration with it.
Tensors train_plainly(const Training& training, int replicas);

// The same with one replica and every parameter of the module given to the optimiser under each of its names, as
// module.parameters() has them: parameters in one memory are updated one after the other.
Tensors train_every_name(const Training& training);

// The sum of one stage's flat gradients, one of each replica.
using Summing = std::function<at::Tensor(const std::vector<at::Tensor>& flat)>;

// The same, but gradients are summed in the order in which the replicas of `cutting` do (docs/algorithms.md,
// "Synchronisation"), so the result should have a job's very bits: each replica's micro-batches first, then each shard
// of each stage's flat gradient; or as `summing` does. Not for parameters that several stages use.
Tensors train_in_order_of(const Training& training, const Cutting& cutting, Summing summing = {});

// Of how many steps the parameter has a gradient on none, some or all of `replicas`.
struct ReachedSteps {
  int none = 0, some = 0, all = 0;
};
ReachedSteps count_reached(const Training& training, int replicas, const std::string& parameter);

}  // namespace funcpipe::testing
