// One training step of a model, uncut (by libtorch alone) and cut into stages, for comparison bit by bit.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/stage.h"

namespace funcpipe::testing {

struct StepResult {
  std::vector<at::Tensor> outputs;
  std::map<std::string, at::Tensor> gradients;  // by the first name of the parameter; summed over stages that share it
  std::map<std::string, at::Tensor> buffers;    // those that forward changed (cut: may change)
};

// Runs `module` itself: forward under libtorch's interpreter, `loss_of` the first output, backward if `train`.
StepResult run_uncut(torch::jit::Module module, const std::vector<at::Tensor>& inputs, bool train);

// Writes and reloads the stages between `cuts` (layer indices, ascending, without 0 and the end), runs them one after
// the other with detached borders, then backward from the last to the first, if `train`.
StepResult run_cut(const Model& model, const std::vector<int>& cuts, const std::vector<at::Tensor>& inputs, bool train,
                   const RandomKey& key = {});

at::Tensor loss_of(const std::vector<at::Tensor>& outputs);

// Empty if equal bit by bit; otherwise the first difference. Gradients of `reused` parameters may differ by rounding:
// a parameter used three times has its three parts summed in another order when a cut separates the first two.
std::string difference(const StepResult& uncut, const StepResult& cut, const std::set<std::string>& reused = {});

// Tensors of the shapes of `inputs`: normal draws, or integers below `bound`.
std::vector<at::Tensor> draw_inputs(const std::vector<TensorSpec>& inputs, std::int64_t bound, std::uint64_t seed);

}  // namespace funcpipe::testing
