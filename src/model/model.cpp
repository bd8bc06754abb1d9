#include "model/model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <algorithm>

#include "base/files.h"
#include "model/cut.h"
#include "model/fingerprint.h"
#include "model/flat_model.h"
#include "model/measure_sizes.h"
#include "model/module_file.h"
#include "model/stage_file.h"
#include "model/stage_module.h"
#include "model/tensor_type.h"
#include "model/torch_error.h"
#include "model/zoo.h"

namespace funcpipe {
namespace {

namespace jit = torch::jit;

Result<> check_parameters(const FlatModel& flat) {
  for (const auto& slot : flat.slots) {
    if (slot.kind != TensorSlot::Kind::parameter || !slot.tensor.requires_grad()) continue;
    if (slot.tensor.scalar_type() != at::kFloat) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("parameter {} is {}, and only float32 parameters can be trained", slot.name,
                              dtype_name(slot.tensor.scalar_type())),
                  {}, "save the model after model.float()");
    }
  }
  return {};
}

Result<> check_inputs(const std::vector<TensorSpec>& inputs) {
  if (inputs.empty()) {
    return fail(ErrorCode::invalid_input, "a TorchScript file does not say what its data inputs look like", {},
                "give type and shape of each, with the micro-batch as dimension 0");
  }
  for (const auto& input : inputs) {
    if (!dtype_from_name(input.dtype)) {
      return fail(ErrorCode::invalid_input, fmt::format("unknown tensor type {}", input.dtype), {},
                  "float32, int64, int32, uint8, bool, ...");
    }
    if (input.shape.empty() || std::ranges::any_of(input.shape, [](auto extent) { return extent < 1; }) ||
        input.shape.front() != inputs.front().shape.front()) {
      return fail(
          ErrorCode::invalid_input,
          fmt::format("a data input of shape {}: dimension 0 must be the micro-batch, the same for all inputs, and "
                      "no dimension may be empty",
                      to_string(input)));
    }
  }
  return {};
}

void make_contiguous(jit::Module& module) {
  const at::NoGradGuard no_gradients;
  for (auto parameter : module.parameters()) {
    if (!parameter.is_contiguous()) parameter.set_data(parameter.contiguous());
  }
}

}  // namespace

struct Model::State {
  jit::Module module;
  FlatModel flat;
  std::vector<int> parameter_of_slot;
  std::vector<Border> borders;  // between layers
  std::vector<CutLayer> layers;
  ModelDescription description;

  std::vector<jit::Value*> before(int layer) const {
    return layer == 0 ? std::vector<jit::Value*>{} : borders[layer - 1].values;
  }
  std::vector<jit::Value*> after(int layer) const {
    if (layer < static_cast<int>(borders.size())) return borders[layer].values;
    const auto outputs = flat.graph->outputs();
    return {outputs.begin(), outputs.end()};
  }

  Result<> analyse(const std::vector<TensorSpec>& inputs, const std::string& output);
  void describe_layers(const Candidates& candidates, const MeasuredSizes& sizes);
};

Result<> Model::State::analyse(const std::vector<TensorSpec>& inputs, const std::string& output) {
  FUNCPIPE_TRY_VOID(check_inputs(inputs));
  make_contiguous(module);
  FUNCPIPE_TRY(flattened, flatten(module, inputs.size(), output));
  flat = std::move(flattened);
  FUNCPIPE_TRY_VOID(check_parameters(flat));
  parameter_of_slot = parameter_indices(flat);
  if (flat.nodes.empty()) return fail(ErrorCode::invalid_input, "the model computes nothing");

  auto candidates = candidate_borders(flat);
  MeasuredSizes sizes;
  try {
    sizes = measure_sizes(flat, candidates.borders, inputs);
  } catch (const std::exception& error) {
    std::string given;
    for (const auto& input : inputs) given += (given.empty() ? "" : ", ") + to_string(input);
    return fail(ErrorCode::invalid_input, fmt::format("the model rejects inputs {}: {}", given, first_lines(error)), {},
                "check type and shape of the data inputs against what the model's forward expects");
  }
  borders = layer_borders(flat, candidates.borders, sizes.tensors);

  description.micro_batch = static_cast<int>(inputs.front().shape.front());
  description.inputs = inputs;
  for (const auto& slot : flat.slots) {
    if (slot.kind != TensorSlot::Kind::parameter) continue;
    description.parameters.push_back(
        {slot.name, slot.tensor.sizes().vec(), dtype_name(slot.tensor.scalar_type()), slot.tensor.requires_grad()});
  }
  for (const auto* value : flat.graph->outputs()) description.outputs.push_back(sizes.tensors.at(value).front());
  describe_layers(candidates, sizes);
  description.fingerprint = fingerprint(flat, borders);
  return {};
}

void Model::State::describe_layers(const Candidates& candidates, const MeasuredSizes& sizes) {
  std::unordered_map<std::string, int> times_named;
  std::size_t piece = 0;
  for (int index = 0; index <= static_cast<int>(borders.size()); ++index) {
    CutLayer layer;
    layer.begin = index == 0 ? 0 : borders[index - 1].position;
    layer.end =
        index < static_cast<int>(borders.size()) ? borders[index].position : static_cast<int>(flat.nodes.size());
    layer.span = span_graph(flat, layer.begin, layer.end, before(index), after(index));

    LayerDescription described;
    described.name = layer_name(flat, layer.begin, layer.end);
    if (const int times = ++times_named[described.name]; times > 1) described.name += fmt::format("#{}", times);
    for (const int slot : layer.span.slots) {
      if (parameter_of_slot[slot] >= 0)
        described.parameters.push_back(parameter_of_slot[slot]);
      else
        described.buffer_bytes += static_cast<Bytes>(flat.slots[slot].tensor.nbytes());
    }
    for (; piece < sizes.activation_bytes.size(); ++piece) {
      const int start = piece == 0 ? 0 : candidates.borders[piece - 1].position;
      if (start >= layer.end) break;
      described.activation_bytes += sizes.activation_bytes[piece];
    }
    if (index < static_cast<int>(borders.size())) {
      for (const auto* value : borders[index].values) {
        const auto& tensors = sizes.tensors.at(value);
        described.border.insert(described.border.end(), tensors.begin(), tensors.end());
      }
    }
    described.data_inputs = layer.span.data_inputs;
    layer.random = draws_random_numbers(flat, layer.begin, layer.end);
    described.random = layer.random;
    described.whole_because = why_whole(flat, candidates, layer.begin, layer.end);
    description.layers.push_back(std::move(described));
    layers.push_back(std::move(layer));
  }
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const std::string& source, const std::vector<TensorSpec>& inputs, std::uint64_t seed,
                          const std::string& output) {
  auto state = std::make_unique<State>();
  auto shapes = inputs;
  constexpr std::string_view kZoo = "zoo:";
  if (source.starts_with(kZoo)) {
    FUNCPIPE_TRY(zoo, make_zoo_model(source.substr(kZoo.size()), seed));
    state->module = zoo.module;
    if (shapes.empty()) shapes = zoo.inputs;
    state->description.source = source;
  } else {
    FUNCPIPE_TRY(module, read_module_file(source));
    state->module = module;
    state->description.source = std::filesystem::path(source).filename();
  }
  if (auto analysed = state->analyse(shapes, output); !analysed) {
    auto error = std::move(analysed).error();
    if (error.place.empty()) error.place = source;
    return tl::unexpected(std::move(error));
  }
  return Model(std::move(state));
}

const ModelDescription& Model::description() const {
  return state_->description;
}

Result<std::string> Model::stage(int first_layer, int end_layer) const {
  const int count = static_cast<int>(state_->layers.size());
  if (first_layer < 0 || first_layer >= end_layer || end_layer > count) {
    return fail(
        ErrorCode::invalid_input,
        fmt::format("a stage of layers [{}, {}) does not fit the model's {} layers", first_layer, end_layer, count),
        state_->description.source, "make the plan from this model's own description");
  }
  StageManifest manifest;
  manifest.fingerprint = state_->description.fingerprint;
  manifest.first_layer = first_layer;
  manifest.end_layer = end_layer;
  try {
    const auto module = stage_module(state_->flat, state_->parameter_of_slot, state_->layers, manifest);
    return write_stage_file(module, manifest);
  } catch (const std::exception& error) {
    return fail(ErrorCode::failed,
                fmt::format("layers [{}, {}) cannot be cut out: {}", first_layer, end_layer, first_lines(error)),
                state_->description.source);
  }
}

Result<> Model::absorb(std::string_view stage_archive) {
  FUNCPIPE_TRY(file, read_stage_file(stage_archive));
  if (file.manifest.fingerprint != state_->description.fingerprint) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the stage was cut from another model: fingerprint {}, this model's is {}",
                            file.manifest.fingerprint, state_->description.fingerprint));
  }
  std::unordered_map<std::string, const TensorSlot*> by_name;
  for (const auto& slot : state_->flat.slots) by_name[slot.name] = &slot;
  const at::NoGradGuard no_gradients;
  for (const auto* list : {&file.manifest.parameters, &file.manifest.buffers}) {
    for (const auto& tensor : *list) {
      const auto slot = by_name.find(tensor.name);
      if (slot == by_name.end() || !file.module.hasattr(tensor.attribute) ||
          file.module.attr(tensor.attribute).toTensor().sizes() != slot->second->tensor.sizes()) {
        return fail(ErrorCode::corrupt, fmt::format("the stage file's tensor {} does not fit the model", tensor.name));
      }
      at::Tensor target = slot->second->tensor;
      target.copy_(file.module.attr(tensor.attribute).toTensor());
    }
  }
  return {};
}

namespace {

Result<> write_exception_free(const std::filesystem::path& path, const std::function<std::string()>& make) {
  std::string bytes;
  try {
    bytes = make();
  } catch (const std::exception& error) {
    return fail(ErrorCode::failed, "the model cannot be written: " + first_lines(error), path);
  }
  return write_file(path, bytes);
}

}  // namespace

Result<> Model::save_module(const std::filesystem::path& path) const {
  return write_exception_free(path, [&] {
    std::string bytes;
    jit::ExportModule(state_->module, [&](const void* data, std::size_t size) {
      bytes.append(static_cast<const char*>(data), size);
      return size;
    });
    return bytes;
  });
}

Result<> Model::save_state_dict(const std::filesystem::path& path) const {
  return write_exception_free(path, [&] {
    c10::Dict<std::string, at::Tensor> tensors;
    for (const auto& parameter : state_->module.named_parameters())
      tensors.insert(parameter.name, parameter.value.detach());
    for (const auto& buffer : state_->module.named_buffers()) tensors.insert(buffer.name, buffer.value);
    const auto bytes = jit::pickle_save(tensors);
    return std::string(bytes.begin(), bytes.end());
  });
}

}  // namespace funcpipe
