// Why a loss is no number, found after the fact: nothing is looked at while it is one.
//
// The last stage sees the loss. The stage where it began is searched from there back: a stage that received what was
// wrong already tells the stage before with a mark in place of the gradient, and the one where it began ends the job
// with the layer's name. A gradient that is not finite shows one iteration later, in the weights it was added to: they
// are wrong in every layer from the first, so of those it is the one nearest to the loss.
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

// What goes back in place of `gradients` gradients, and the loss that it says.
std::vector<at::Tensor> divergence_mark(double loss, std::size_t gradients);
std::optional<double> marked_divergence(const std::vector<at::Tensor>& received, std::size_t gradients);

// What a stage computed with when the loss became what it is.
struct DivergentPass {
  const JobSpec& spec;
  Stage& stage;
  bool first_stage, last_stage;
  std::int64_t iteration;
  int micro_batch;
  double loss;
  std::vector<at::Tensor> border, data;  // `border` with its BorderGradients
};

// The error that ends the job if it began in this stage; no error: in one before. Spends a forward pass, in which the
// stage's buffers move on.
Result<> find_divergence(DivergentPass pass);

// After the last update: the weights, of which no loss will tell.
Result<> check_weights(const JobSpec& spec, const Stage& stage, std::int64_t iterations);

}  // namespace funcpipe
