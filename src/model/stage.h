// One stage of a cut model: the layers that a worker computes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// Identifies the random draws of one micro-batch. Before a layer that draws, the generator is seeded with mix(seed,
// {iteration, micro_batch, layer}). So the draws depend neither on the cuts nor on the order of workers.
struct RandomKey {
  std::uint64_t seed = 0;
  std::int64_t iteration = 0;
  int micro_batch = 0;
};

class Stage {
 public:
  // `archive` is the content of a stage file that Model::stage wrote (model/model.h). Errors: corrupt.
  static Result<Stage> load(std::string_view archive);
  Stage(Stage&&) noexcept;
  Stage& operator=(Stage&&) noexcept;
  ~Stage();

  int first_layer() const;
  int end_layer() const;
  const std::vector<int>& data_inputs() const;  // the model inputs that forward() takes as `data`, in this order

  // The trainable parameters by ascending index in ModelDescription. Each is a float32 leaf with requires_grad that
  // fills a storage of its own without gaps.
  const std::vector<at::Tensor>& parameters() const;
  const std::vector<int>& parameter_indices() const;
  // Present values of what forward changes besides trainable parameters: BatchNorm statistics, counters, weights that
  // are averages of others. The order is fixed. Tables and masks that never change are not among them.
  std::vector<at::Tensor> buffers() const;
  void set_buffers(const std::vector<at::Tensor>& values);
  // What forward changes and the loss depends on. Replicas must begin an iteration with equal values of it. It consists
  // of some of `buffers` and of trainable parameters that forward writes to (Embedding's max_norm), in a fixed order.
  std::vector<at::Tensor> shared_state() const;
  void set_shared_state(const std::vector<at::Tensor>& values);

  void train(bool on);

  // Runs the layers in order. `border` is the tensors of the cut before (empty for the first stage), with the strides
  // they had there; those that are to receive a gradient have a BorderGradient. Returns the tensors of the cut after
  // or, for the last stage, the model's outputs. A tensor that only passes through is returned itself. What forward
  // writes does not disturb the backward pass of an earlier call, which finds the values that its forward saw. Throws
  // only what the model raises (std::exception). `stop_after`, unless empty, gets the tensors after each layer, with
  // the layer's index in the model; if it returns true, the pass ends.
  using LayerObserver = std::function<bool(int layer, const std::vector<at::Tensor>& tensors)>;
  std::vector<at::Tensor> forward(std::vector<at::Tensor> border, const std::vector<at::Tensor>& data,
                                  const RandomKey& key, const LayerObserver& stop_after = {});

  // Returns the stage file with the present parameters and buffers.
  Result<std::string> save() const;

 private:
  struct State;
  explicit Stage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
