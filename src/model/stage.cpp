#include "model/stage.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "model/random_state.h"
#include "model/stage_file.h"
#include "model/torch_error.h"

namespace funcpipe {

// Layers run in the plain interpreter, one operation after the other. There is no executor, so nothing needs warming up
// and no rewriting changes bits.
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
  std::vector<std::size_t> changing;            // attributes of the module that change and are not trained
  std::vector<std::size_t> changing_trainable;  // trained parameters that forward writes to
  std::vector<std::size_t> shared;              // those of either list that replicas must have in common
  bool training = true;

  at::Tensor tensor(std::size_t attribute) const { return module._ivalue()->getSlot(attribute).toTensor(); }
  void set(std::size_t attribute, at::Tensor value) { module._ivalue()->setSlot(attribute, std::move(value)); }
  bool is_trained(std::size_t attribute) const {
    return std::ranges::find(changing_trainable, attribute) != changing_trainable.end();
  }
  std::vector<at::Tensor> tensors(const std::vector<std::size_t>& attributes) const {
    std::vector<at::Tensor> list;
    list.reserve(attributes.size());
    for (const auto attribute : attributes) list.push_back(tensor(attribute));
    return list;
  }
  void assign(const std::vector<std::size_t>& attributes, const std::vector<at::Tensor>& values);
  void run_layers(std::vector<at::Tensor>& border, const std::vector<at::Tensor>& data, const RandomKey& key,
                  const LayerObserver& stop_after);
};

namespace {

// True if a graph, a view or a message being sent still uses this memory. The caller and the module have the tensor,
// too.
bool is_held(const at::Tensor& tensor) {
  constexpr std::size_t kTensors = 2, kStorages = 1;
  return tensor.use_count() > kTensors || tensor.storage().use_count() > kStorages;
}

// For one forward pass: keeps what it writes apart from what backward passes of others need. A tensor that is not
// trained is copied before it is written, if it is still in use. A trained parameter stays where it is, with its
// gradient and the optimiser's state. The layers get a copy that passes its gradient on, and what they wrote to the
// copy is copied back.
class WritableState {
 public:
  WritableState(const std::vector<std::size_t>& changing, const std::vector<std::size_t>& trained,
                c10::ivalue::Object& module)
      : changing_(changing), trained_(trained), module_(module) {
    for (const auto attribute : changing_) {
      const at::Tensor tensor = module_.getSlot(attribute).toTensor();
      if (is_held(tensor)) module_.setSlot(attribute, tensor.detach().clone().requires_grad_(tensor.requires_grad()));
    }
    for (const auto attribute : trained_) {
      parameters_.push_back(module_.getSlot(attribute).toTensor());
      copies_.push_back(parameters_.back().clone());
      module_.setSlot(attribute, copies_.back());
    }
  }
  WritableState(const WritableState&) = delete;
  WritableState& operator=(const WritableState&) = delete;

  ~WritableState() {
    for (std::size_t i = 0; i < trained_.size(); ++i) module_.setSlot(trained_[i], parameters_[i]);
  }

  // Keeps what was written. Call it after a forward pass that did not throw.
  void keep() {
    const c10::NoGradGuard no_gradients;
    // Done always, because a write through `.data` does not change the version of the copy.
    for (std::size_t i = 0; i < trained_.size(); ++i) parameters_[i].copy_(copies_[i]);
    for (const auto attribute : changing_) {
      const at::Tensor tensor = module_.getSlot(attribute).toTensor();
      if (!tensor.is_leaf()) module_.setSlot(attribute, tensor.detach());
    }
  }

 private:
  const std::vector<std::size_t>& changing_;
  const std::vector<std::size_t>& trained_;
  c10::ivalue::Object& module_;
  std::vector<at::Tensor> parameters_, copies_;
};

}  // namespace

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
    const auto note = [&](const StageManifest::Tensor& tensor) {
      const std::size_t attribute = state->module.type()->getAttributeSlot(tensor.attribute);
      if (tensor.trainable) {
        state->parameters.push_back(state->tensor(attribute));
        state->parameter_indices.push_back(tensor.index);
      }
      if (tensor.changes) (tensor.trainable ? state->changing_trainable : state->changing).push_back(attribute);
      if (tensor.feeds_loss) state->shared.push_back(attribute);
    };
    for (const auto& parameter : state->manifest.parameters) note(parameter);
    for (const auto& buffer : state->manifest.buffers) note(buffer);
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
std::vector<at::Tensor> Stage::buffers() const {
  return state_->tensors(state_->changing);
}
void Stage::set_buffers(const std::vector<at::Tensor>& values) {
  state_->assign(state_->changing, values);
}
std::vector<at::Tensor> Stage::shared_state() const {
  return state_->tensors(state_->shared);
}
void Stage::set_shared_state(const std::vector<at::Tensor>& values) {
  state_->assign(state_->shared, values);
}
void Stage::train(bool on) {
  state_->training = on;
}

std::vector<at::Tensor> Stage::forward(std::vector<at::Tensor> border, const std::vector<at::Tensor>& data,
                                       const RandomKey& key, const LayerObserver& stop_after) {
  FUNCPIPE_CHECK(data.size() == state_->data_inputs.size(), "{} data inputs given, {} wanted", data.size(),
                 state_->data_inputs.size());
  WritableState state(state_->changing, state_->changing_trainable, *state_->module._ivalue());
  state_->run_layers(border, data, key, stop_after);
  state.keep();
  return border;
}

void Stage::State::assign(const std::vector<std::size_t>& attributes, const std::vector<at::Tensor>& values) {
  FUNCPIPE_CHECK(attributes.size() == values.size(), "{} tensors for {}", values.size(), attributes.size());
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_trained(attributes[i]))
      tensor(attributes[i]).copy_(values[i]);
    else
      set(attributes[i], values[i].detach().clone());
  }
}

void Stage::State::run_layers(std::vector<at::Tensor>& border, const std::vector<at::Tensor>& data,
                              const RandomKey& key, const LayerObserver& stop_after) {
  for (auto& layer : layers) {
    FUNCPIPE_CHECK(layer.code.num_inputs() == border.size() + layer.data.size() + 2,
                   "layer {} wants {} inputs, border {} and data {} given", layer.index, layer.code.num_inputs(),
                   border.size(), layer.data.size());
    torch::jit::Stack stack;
    stack.reserve(layer.code.num_inputs());
    stack.emplace_back(module._ivalue());
    for (auto& tensor : border) stack.emplace_back(std::move(tensor));
    for (const auto position : layer.data) stack.emplace_back(data[position]);
    stack.emplace_back(training);
    border.clear();

    std::optional<RandomDraws> draws;
    if (layer.random && training) {
      draws.emplace(
          mix(key.seed, {static_cast<std::uint64_t>(key.iteration), static_cast<std::uint64_t>(key.micro_batch),
                         static_cast<std::uint64_t>(layer.index)}));
    }
    torch::jit::InterpreterState(layer.code).run(stack);
    const auto results = stack.back().toTuple();
    stack.clear();
    for (const auto& result : results->elements()) border.push_back(result.toTensor());
    if (stop_after && stop_after(layer.index, border)) break;
  }
}

Result<std::string> Stage::save() const {
  return write_stage_file(state_->module, state_->manifest);
}

}  // namespace funcpipe
