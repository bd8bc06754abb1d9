// Finds the cause of a loss that is not finite. As long as the loss is finite, nothing else is checked.
//
// The last stage sees the loss. From there the search goes back stage by stage. A stage that received values that are
// not finite tells the stage before with a mark in place of the gradients. The stage where they began ends the job with
// the layer's name. A gradient that is not finite shows one iteration later, in the weights it was added to. Then the
// weights of all layers from the first to the origin are wrong, so the layer nearest to the loss is named.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/stage.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Makes the mark that is sent back in place of `gradients` gradients. It carries the loss.
std::vector<at::Tensor> divergence_mark(double loss, std::size_t gradients);
// Returns the loss if `received` is such a mark, else nullopt.
std::optional<double> marked_divergence(const std::vector<at::Tensor>& received, std::size_t gradients);

// The inputs of the pass whose loss is not finite.
struct DivergentPass {
  const JobSpec& spec;
  Stage& stage;
  bool first_stage, last_stage;
  std::int64_t iteration;
  int micro_batch;
  double loss;
  std::vector<at::Tensor> border, data;  // `border` includes the tensors' BorderGradients
};

// Returns the error that ends the job if the cause is in this stage, and no error if it is in an earlier one. Runs a
// forward pass, which changes the stage's buffers.
Result<> find_divergence(DivergentPass pass);

// Checks the weights after the last update, which no later loss would reveal.
Result<> check_weights(const JobSpec& spec, const Stage& stage, std::int64_t iterations);

}  // namespace funcpipe
