#include "model/stage.h"

#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "model/random_state.h"
#include "model/stage_file.h"
#include "model/torch_error.h"

namespace funcpipe {

// Layers run under the plain interpreter, operation by operation: no executor, so nothing to warm up and no rewriting
// that could change bits.
struct Stage::State {
  struct Layer {
    int index = 0;
    bool random = false;
    std::vector<std::size_t> data;  // positions in data_inputs
    torch::jit::Code code;
  };
  torch::jit::Module module;
  StageManifest manifest;
  std::vector<Layer> layers;
  std::vector<int> data_inputs;
  std::vector<at::Tensor> parameters;
  std::vector<int> parameter_indices;
  std::vector<at::Tensor> buffers;
  bool training = true;
};

Stage::Stage(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stage::Stage(Stage&&) noexcept = default;
Stage& Stage::operator=(Stage&&) noexcept = default;
Stage::~Stage() = default;

Result<Stage> Stage::load(std::string_view archive) {
  FUNCPIPE_TRY(file, read_stage_file(archive));
  auto state = std::make_unique<State>();
  state->module = file.module;
  state->manifest = std::move(file.manifest);
  try {
    for (const auto& layer : state->manifest.layers) {
      for (const int index : layer.data_inputs) state->data_inputs.push_back(index);
    }
    std::ranges::sort(state->data_inputs);
    state->data_inputs.erase(std::unique(state->data_inputs.begin(), state->data_inputs.end()),
                             state->data_inputs.end());
    for (const auto& layer : state->manifest.layers) {
      State::Layer loaded{layer.index, layer.random, {}, {}};
      for (const int index : layer.data_inputs) {
        loaded.data.push_back(std::ranges::lower_bound(state->data_inputs, index) - state->data_inputs.begin());
      }
      loaded.code = torch::jit::Code(state->module.get_method(layer.method).graph(), layer.method);
      state->layers.push_back(std::move(loaded));
    }
    for (const auto& parameter : state->manifest.parameters) {
      if (!parameter.trainable) continue;
      state->parameters.push_back(state->module.attr(parameter.attribute).toTensor());
      state->parameter_indices.push_back(parameter.index);
    }
    for (const auto& buffer : state->manifest.buffers) {
      if (buffer.changes) state->buffers.push_back(state->module.attr(buffer.attribute).toTensor());
    }
  } catch (const std::exception& error) {
    return fail(ErrorCode::corrupt, "a stage file contradicts its manifest: " + first_lines(error));
  }
  return Stage(std::move(state));
}

int Stage::first_layer() const {
  return state_->manifest.first_layer;
}
int Stage::end_layer() const {
  return state_->manifest.end_layer;
}
const std::vector<int>& Stage::data_inputs() const {
  return state_->data_inputs;
}
const std::vector<at::Tensor>& Stage::parameters() const {
  return state_->parameters;
}
const std::vector<int>& Stage::parameter_indices() const {
  return state_->parameter_indices;
}
const std::vector<at::Tensor>& Stage::buffers() const {
  return state_->buffers;
}
void Stage::train(bool on) {
  state_->training = on;
}

std::vector<at::Tensor> Stage::forward(std::vector<at::Tensor> border, const std::vector<at::Tensor>& data,
                                       const RandomKey& key) {
  FUNCPIPE_CHECK(data.size() == state_->data_inputs.size(), "{} data inputs given, {} wanted", data.size(),
                 state_->data_inputs.size());
  for (auto& layer : state_->layers) {
    FUNCPIPE_CHECK(layer.code.num_inputs() == border.size() + layer.data.size() + 2,
                   "layer {} wants {} inputs, border {} and data {} given", layer.index, layer.code.num_inputs(),
                   border.size(), layer.data.size());
    torch::jit::Stack stack;
    stack.reserve(layer.code.num_inputs());
    stack.emplace_back(state_->module._ivalue());
    for (auto& tensor : border) stack.emplace_back(std::move(tensor));
    for (const auto position : layer.data) stack.emplace_back(data[position]);
    stack.emplace_back(state_->training);
    border.clear();

    std::optional<RandomDraws> draws;
    if (layer.random && state_->training) {
      draws.emplace(
          mix(key.seed, {static_cast<std::uint64_t>(key.iteration), static_cast<std::uint64_t>(key.micro_batch),
                         static_cast<std::uint64_t>(layer.index)}));
    }
    torch::jit::InterpreterState(layer.code).run(stack);
    const auto results = stack.back().toTuple();
    stack.clear();
    for (const auto& result : results->elements()) border.push_back(result.toTensor());
  }
  return border;
}

Result<std::string> Stage::save() const {
  return write_stage_file(state_->module, state_->manifest);
}

}  // namespace funcpipe
