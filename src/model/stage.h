// One stage of a cut model, ready to compute: the span of layers a worker holds.
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

// Identifies the random draws of one micro-batch: before a layer that draws, the generator is seeded with
// mix(seed, {iteration, micro_batch, layer}), so draws depend neither on the cuts nor on the order of workers.
struct RandomKey {
  std::uint64_t seed = 0;
  std::int64_t iteration = 0;
  int micro_batch = 0;
};

class Stage {
 public:
  // `archive`: the bytes of a stage file written by Model::stage (model/model.h). Errors: corrupt.
  static Result<Stage> load(std::string_view archive);
  Stage(Stage&&) noexcept;
  Stage& operator=(Stage&&) noexcept;
  ~Stage();

  int first_layer() const;
  int end_layer() const;
  const std::vector<int>& data_inputs() const;  // which model inputs `forward` wants as `data`, in this order

  // The trainable parameters in ascending ModelDescription index: float32 leaves with requires_grad, dense in storages
  // of their own.
  const std::vector<at::Tensor>& parameters() const;
  const std::vector<int>& parameter_indices() const;
  // What forward changes besides trainable parameters: BatchNorm statistics, counters, weights that follow others by
  // averaging. As they are now, in a fixed order; tables and masks that never change are not among them.
  std::vector<at::Tensor> buffers() const;
  void set_buffers(const std::vector<at::Tensor>& values);
  // What forward changes and the loss depends on, trainable parameters too (Embedding's max_norm): replicas must begin
  // an iteration with the same. Those of `buffers` and `parameters`, in a fixed order.
  std::vector<at::Tensor> shared_state() const;
  void set_shared_state(const std::vector<at::Tensor>& values);

  void train(bool on);

  // Runs the layers in order. `border`: the tensors of the cut before (empty for the first stage), with the strides
  // they had there; those that are to receive a gradient have a BorderGradient. Returns the border after, or the
  // model's outputs for the last stage; a tensor that only passes through is returned as it came. What forward writes
  // to does not disturb the backward of an earlier call: that finds the values its forward saw. Throws (std::exception)
  // only what the model itself raises.
  // `stop_after`, if there is one, is shown the tensors after each layer (its index in the model); true ends the pass.
  using LayerObserver = std::function<bool(int layer, const std::vector<at::Tensor>& tensors)>;
  std::vector<at::Tensor> forward(std::vector<at::Tensor> border, const std::vector<at::Tensor>& data,
                                  const RandomKey& key, const LayerObserver& stop_after = {});

  // The stage file again, with today's parameters and buffers.
  Result<std::string> save() const;

 private:
  struct State;
  explicit Stage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
