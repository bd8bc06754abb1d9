#include "model/model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <caffe2/serialize/inline_container.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/files.h"
#include "model/cut.h"
#include "model/fingerprint.h"
#include "model/finite.h"
#include "model/flat_model.h"
#include "model/gradient_flow.h"
#include "model/module_file.h"
#include "model/random_state.h"
#include "model/slot_state.h"
#include "model/stage_file.h"
#include "model/stage_module.h"
#include "model/tensor_sizes.h"
#include "model/tensor_type.h"
#include "model/torch_error.h"
#include "model/zoo.h"

namespace funcpipe {
namespace {

namespace jit = torch::jit;

constexpr std::string_view kZoo = "zoo:";

Result<> check_parameters(const FlatModel& flat) {
  for (const auto& slot : flat.slots) {
    if (slot.kind != TensorSlot::Kind::parameter || !slot.tensor.requires_grad()) continue;
    if (slot.tensor.scalar_type() != at::kFloat) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("parameter {} is {}, and only float32 parameters can be trained", slot.name,
                              dtype_name(slot.tensor.scalar_type())),
                  {},
                  slot.tensor.is_complex() ? "keep it as two float32 parameters, the real and the imaginary part"
                                           : "save the model after model.float()");
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

}  // namespace

struct Model::State {
  jit::Module module;
  std::vector<TensorSpec> known_inputs;             // only of a zoo model
  std::optional<std::set<std::string>> state_dict;  // names in the state dict, if known
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

  std::size_t chosen = 0;
  std::string first_refusal;  // what the model said of the first choice

  static Result<std::unique_ptr<State>> open(const std::string& source, std::uint64_t seed);

  // The slots' tensors for a trial run: copies of those that forward may write to, and leaves for trained parameters.
  struct Slots {
    std::vector<at::Tensor> all, parameters;
    c10::IValue state;  // contains the assigned slots
  };
  Slots copied_slots() const;
  static std::vector<at::Tensor> run_span(const SpanGraph& span, const std::vector<at::Tensor>& border,
                                          const Inputs& data, bool training, const Slots& slots);

  // Flattens and describes the module on the first of `choices` that it accepts.
  Result<> analyse(const std::vector<Inputs>& choices, const std::string& output);
  Result<> flatten_for(std::size_t data_inputs, const std::string& output);
  Result<> describe_on(const Inputs& data);
  void describe_layers(const Candidates& candidates, const TensorSizes& sizes);
};

Result<> Model::State::analyse(const std::vector<Inputs>& choices, const std::string& output) {
  std::optional<Error> first;
  std::size_t flattened_for = 0;
  for (chosen = 0; chosen < choices.size(); ++chosen) {
    const Inputs& data = choices[chosen];
    Result<> described;
    if (data.size() != flattened_for) {
      described = flatten_for(data.size(), output);
      flattened_for = described ? data.size() : 0;
    }
    if (described) described = describe_on(data);
    if (described) return {};
    if (described.error().code != ErrorCode::invalid_input) return described;
    if (!first) {
      first = std::move(described).error();
      first_refusal = first->message;
    }
  }
  return tl::unexpected(std::move(*first));
}

Result<> Model::State::flatten_for(std::size_t data_inputs, const std::string& output) {
  FUNCPIPE_TRY(flattened, flatten(module, data_inputs, output));
  flat = std::move(flattened);
  FUNCPIPE_TRY_VOID(check_parameters(flat));
  parameter_of_slot = parameter_indices(flat);
  if (flat.nodes.empty()) return fail(ErrorCode::invalid_input, "the model computes nothing");
  return {};
}

Result<> Model::State::describe_on(const Inputs& data) {
  std::vector<TensorSpec> inputs;
  for (const at::Tensor& input : data) inputs.push_back(spec_of(input));
  auto candidates = candidate_borders(flat);
  TensorSizes sizes;
  try {
    sizes = measure_sizes(flat, candidates.borders, data);
  } catch (const std::exception& error) {
    std::string given;
    for (const auto& input : inputs) given += (given.empty() ? "" : ", ") + to_string(input);
    return fail(ErrorCode::invalid_input, fmt::format("the model rejects inputs {}: {}", given, first_lines(error)), {},
                "check type and shape of the data inputs against what the model's forward expects");
  }
  if (sizes.graph_in_state >= 0) {
    return fail(ErrorCode::invalid_input,
                fmt::format("buffer {} keeps the gradient graph of one micro-batch for the next, and PyTorch cannot go "
                            "through a graph a second time",
                            flat.slots[sizes.graph_in_state].name),
                {}, "keep the value without its graph: value.detach()");
  }
  // A tensor that may have a gradient in some micro-batches is described as having one. Where it has none, an empty
  // vector is sent back.
  for (const jit::Value* value : gradients_by_branch(flat)) {
    const auto measured = sizes.tensors.find(value);
    if (measured == sizes.tensors.end()) continue;
    for (TensorSpec& tensor : measured->second) {
      const auto type = dtype_from_name(tensor.dtype);
      tensor.requires_grad |= type && (at::isFloatingType(*type) || at::isComplexType(*type));
    }
  }
  auto possible = candidates.borders;
  std::erase_if(possible, [&](const Border& border) {
    return std::ranges::any_of(border.values, [&](const auto* value) { return sizes.immobile.contains(value); });
  });
  borders = layer_borders(flat, std::move(possible), sizes.tensors);

  description.micro_batch = static_cast<int>(inputs.front().shape.front());
  description.inputs = inputs;
  for (const auto& slot : flat.slots) {
    if (slot.kind != TensorSlot::Kind::parameter) continue;
    description.parameters.push_back(
        {slot.name, slot.tensor.sizes().vec(), dtype_name(slot.tensor.scalar_type()), slot.tensor.requires_grad()});
  }
  for (const auto* value : flat.graph->outputs()) description.outputs.push_back(sizes.tensors.at(value).front());
  if (!state_dict && !description.source.starts_with(kZoo)) {
    std::set<std::string> changing;
    for (const auto& slot : flat.slots)
      if (slot.changes) changing.insert(slot.name);
    for (const auto& buffer : module.named_buffers())
      if (!changing.contains(buffer.name)) description.perhaps_not_in_state_dict.push_back(buffer.name);
  }
  describe_layers(candidates, sizes);
  description.fingerprint = fingerprint(flat, borders);
  return {};
}

Model::State::Slots Model::State::copied_slots() const {
  Slots slots;
  for (const auto& slot : flat.slots) {
    at::Tensor tensor = slot.changes ? slot.tensor.detach().clone() : slot.tensor.detach();
    if (slot.tensor.requires_grad()) slots.parameters.push_back(tensor.requires_grad_(true));
    slots.all.push_back(std::move(tensor));
  }
  slots.state = copy_of_state(flat);
  return slots;
}

std::vector<at::Tensor> Model::State::run_span(const SpanGraph& span, const std::vector<at::Tensor>& border,
                                               const Inputs& data, bool training, const Slots& slots) {
  jit::Stack stack(border.begin(), border.end());
  for (const int index : span.data_inputs) stack.emplace_back(data[static_cast<std::size_t>(index)].clone());
  stack.emplace_back(training);
  if (!span.assigned.empty()) stack.emplace_back(slots.state);
  for (const int index : span.slots) stack.emplace_back(slots.all[static_cast<std::size_t>(index)]);
  jit::InterpreterState(jit::Code(span.graph, "trial")).run(stack);
  std::vector<at::Tensor> results;
  for (const auto& value : stack) results.push_back(value.toTensor());
  return results;
}

void Model::State::describe_layers(const Candidates& candidates, const TensorSizes& sizes) {
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
    for (const int slot : layer.span.all_slots()) {
      if (parameter_of_slot[slot] >= 0) described.parameters.push_back(parameter_of_slot[slot]);
      if (parameter_of_slot[slot] < 0 || (flat.slots[slot].changes && !flat.slots[slot].tensor.requires_grad()))
        described.buffer_bytes += static_cast<Bytes>(flat.slots[slot].tensor.nbytes());
      if (!flat.slots[slot].feeds_loss) continue;
      described.shared_state.push_back(flat.slots[slot].name);
      described.shared_state_bytes += static_cast<Bytes>(flat.slots[slot].tensor.nbytes());
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

Result<std::unique_ptr<Model::State>> Model::State::open(const std::string& source, std::uint64_t seed) {
  auto state = std::make_unique<State>();
  if (source.starts_with(kZoo)) {
    FUNCPIPE_TRY(zoo, make_zoo_model(source.substr(kZoo.size()), seed));
    state->module = zoo.module;
    state->known_inputs = zoo.inputs;
    state->description.source = source;
  } else {
    FUNCPIPE_TRY(file, read_module_file(source));
    state->module = file.module;
    state->state_dict = std::move(file.state_dict);
    state->description.source = std::filesystem::path(source).filename();
  }
  return state;
}

Result<Model> Model::load(const std::string& source, const std::vector<TensorSpec>& inputs, std::uint64_t seed,
                          const std::string& output) {
  FUNCPIPE_TRY(state, State::open(source, seed));
  const auto& shapes = inputs.empty() ? state->known_inputs : inputs;
  auto analysed = check_inputs(shapes);
  if (analysed) analysed = state->analyse({invented_inputs(shapes)}, output);
  return described(std::move(state), source, std::move(analysed));
}

Result<Model> Model::load_on(const std::string& source, const std::vector<Inputs>& choices, std::uint64_t seed,
                             const std::string& output) {
  FUNCPIPE_CHECK(!choices.empty(), "no data for {}", source);
  FUNCPIPE_TRY(state, State::open(source, seed));
  auto analysed = state->analyse(choices, output);
  return described(std::move(state), source, std::move(analysed));
}

Result<Model> Model::described(std::unique_ptr<State> state, const std::string& source, Result<> analysed) {
  if (analysed) return Model(std::move(state));
  auto error = std::move(analysed).error();
  if (error.place.empty()) error.place = source;
  return tl::unexpected(std::move(error));
}

const ModelDescription& Model::description() const {
  return state_->description;
}
std::size_t Model::chosen() const {
  return state_->chosen;
}
const std::string& Model::first_refusal() const {
  return state_->first_refusal;
}

Model::Run Model::run(const Inputs& data, bool training) const {
  const auto outputs = state_->flat.graph->outputs();
  const auto span =
      span_graph(state_->flat, 0, static_cast<int>(state_->flat.nodes.size()), {}, {outputs.begin(), outputs.end()});
  const RandomDraws draws(/*seed=*/1);
  auto slots = state_->copied_slots();
  return {state_->run_span(span, {}, data, training, slots), slots.parameters};
}

std::string Model::first_layer_gone_wrong(const Inputs& data, bool training) const {
  const RandomDraws draws(/*seed=*/1);
  const auto slots = state_->copied_slots();
  std::vector<at::Tensor> border;
  for (std::size_t i = 0; i < state_->layers.size(); ++i) {
    border = state_->run_span(state_->layers[i].span, border, data, training, slots);
    if (first_gone_wrong(border)) return state_->description.layers[i].name;
  }
  return {};
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
  const auto unfit = [](const std::string& name) {
    return fail(ErrorCode::corrupt, fmt::format("the stage file's tensor {} does not fit the model", name));
  };
  std::unordered_map<std::string, const TensorSlot*> by_name;
  for (const auto& slot : state_->flat.slots) by_name[slot.name] = &slot;
  const at::NoGradGuard no_gradients;
  for (const auto* list : {&file.manifest.parameters, &file.manifest.buffers}) {
    for (const auto& tensor : *list) {
      const auto slot = by_name.find(tensor.name);
      if (slot == by_name.end() || !file.module.hasattr(tensor.attribute)) return unfit(tensor.name);
      const at::Tensor trained = file.module.attr(tensor.attribute).toTensor();
      if (slot->second->assigned) {  // the new tensor may have another shape or type
        slot->second->holder.toObject()->setAttr(slot->second->attribute, trained);
        continue;
      }
      if (trained.sizes() != slot->second->tensor.sizes()) return unfit(tensor.name);
      at::Tensor target = slot->second->tensor;
      target.copy_(trained);
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

// Makes a file for torch.load. jit::pickle_save writes a type tag for the dictionary, which torch.load refuses since
// PyTorch 2.6 unless weights_only is False.
std::string plain_pickle(const jit::IValue& value) {
  std::string pickled, file;
  const auto append = [&](const char* data, std::size_t size) { pickled.append(data, size); };
  jit::Pickler pickler(append, nullptr, nullptr, nullptr, nullptr, /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(value);
  pickler.stop();
  caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    file.append(static_cast<const char*>(data), size);
    return size;
  });
  jit::writeArchiveAndTensors("data", pickled.data(), pickled.size(), pickler.tensorData(), writer);
  writer.writeEndOfFile();
  return file;
}

}  // namespace

Result<> Model::save_module(const std::filesystem::path& path) const {
  return write_exception_free(path, [&] {
    std::string bytes;
    jit::ExtraFilesMap extra;
    if (state_->state_dict) extra[kStateDictNames] = fmt::format("{}", fmt::join(*state_->state_dict, "\n"));
    const auto append = [&](const void* data, std::size_t size) {
      bytes.append(static_cast<const char*>(data), size);
      return size;
    };
    jit::ExportModule(state_->module, append, extra);
    return bytes;
  });
}

Result<> Model::save_state_dict(const std::filesystem::path& path) const {
  return write_exception_free(path, [&] {
    c10::Dict<std::string, at::Tensor> tensors;
    for (const auto& parameter : state_->module.named_parameters())
      tensors.insert(parameter.name, parameter.value.detach());
    for (const auto& buffer : state_->module.named_buffers())
      if (!state_->state_dict || state_->state_dict->contains(buffer.name)) tensors.insert(buffer.name, buffer.value);
    return plain_pickle(tensors);
  });
}

}  // namespace funcpipe
