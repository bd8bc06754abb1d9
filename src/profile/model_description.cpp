#include "profile/model_description.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::string_view kFormat = "funcpipe-model-description";

using Json = nlohmann::json;

Bytes product(const std::vector<std::int64_t>& shape) {
  Bytes elements = 1;
  for (const auto extent : shape) elements *= extent;
  return elements;
}

Json tensors_to_json(const std::vector<TensorSpec>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors) {
    list.push_back({{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"requires_grad", tensor.requires_grad}});
    if (!tensor.values.empty()) list.back()["values"] = tensor.values;
  }
  return list;
}

std::vector<TensorSpec> tensors_from_json(const Json& list) {
  std::vector<TensorSpec> tensors;
  for (const auto& item : list) {
    tensors.push_back({item.at("dtype"), item.at("shape"), item.value("requires_grad", false),
                       item.value("values", std::vector<double>())});
  }
  return tensors;
}

LayerDescription layer_from_json(const Json& item) {
  LayerDescription layer;
  layer.name = item.at("name");
  layer.parameters = item.at("parameters").get<std::vector<int>>();
  layer.buffer_bytes = item.at("buffer_bytes");
  layer.activation_bytes = item.at("activation_bytes");
  layer.border = tensors_from_json(item.at("border"));
  layer.data_inputs = item.at("data_inputs").get<std::vector<int>>();
  layer.random = item.at("random");
  layer.whole_because = item.value("whole_because", "");
  return layer;
}

// The first thing wrong with indices, sizes or types that would mislead a reader; empty if all is well.
std::string inconsistency(const ModelDescription& description) {
  if (description.micro_batch < 1) return fmt::format("micro_batch must be positive, got {}", description.micro_batch);
  if (description.layers.empty()) return "a model has at least one layer, got none";
  const auto bad_tensors = [](const std::vector<TensorSpec>& tensors) {
    return std::ranges::any_of(tensors, [](const TensorSpec& tensor) {
      return element_size(tensor.dtype) == 0 ||
             std::ranges::any_of(tensor.shape, [](auto extent) { return extent < 0; }) ||
             (!tensor.values.empty() && std::ssize(tensor.values) != product(tensor.shape));
    });
  };
  if (bad_tensors(description.inputs) || bad_tensors(description.outputs)) return "a tensor of unknown type or shape";
  for (const auto& parameter : description.parameters) {
    if (element_size(parameter.dtype) == 0) {
      return fmt::format("parameter {} has an unknown type {}", parameter.name, parameter.dtype);
    }
  }
  const auto outside = [](const std::vector<int>& indices, std::size_t size) {
    return std::ranges::any_of(indices, [&](int index) { return index < 0 || index >= static_cast<int>(size); });
  };
  for (const auto& layer : description.layers) {
    if (bad_tensors(layer.border)) return fmt::format("layer {} has a tensor of unknown type or shape", layer.name);
    if (outside(layer.parameters, description.parameters.size())) {
      return fmt::format("layer {} uses a parameter beyond the {} listed", layer.name, description.parameters.size());
    }
    if (outside(layer.data_inputs, description.inputs.size())) {
      return fmt::format("layer {} reads a data input beyond the {} listed", layer.name, description.inputs.size());
    }
    if (layer.buffer_bytes < 0 || layer.activation_bytes < 0) {
      return fmt::format("layer {} has a negative size", layer.name);
    }
  }
  return {};
}

}  // namespace

Bytes element_size(const std::string& dtype) {
  struct Size {
    std::string_view dtype;
    Bytes bytes;
  };
  static constexpr std::array<Size, 12> kSizes{{{"float32", 4},
                                                {"float64", 8},
                                                {"float16", 2},
                                                {"bfloat16", 2},
                                                {"int64", 8},
                                                {"int32", 4},
                                                {"int16", 2},
                                                {"int8", 1},
                                                {"uint8", 1},
                                                {"bool", 1},
                                                {"complex64", 8},
                                                {"complex128", 16}}};
  const auto found = std::ranges::find(kSizes, dtype, &Size::dtype);
  return found == kSizes.end() ? 0 : found->bytes;
}

Bytes TensorSpec::bytes() const {
  return product(shape) * element_size(dtype);
}

std::int64_t ParameterDescription::elements() const {
  return product(shape);
}

Bytes ModelDescription::parameter_bytes() const {
  Bytes bytes = 0;
  for (const auto& parameter : parameters) bytes += parameter.bytes();
  return bytes;
}

std::vector<int> ModelDescription::parameters_of(int first_layer, int end_layer) const {
  FUNCPIPE_CHECK(0 <= first_layer && first_layer <= end_layer && end_layer <= static_cast<int>(layers.size()),
                 "layers [{}, {}) of {}", first_layer, end_layer, layers.size());
  std::set<int> unique;
  for (int layer = first_layer; layer < end_layer; ++layer) {
    unique.insert(layers[layer].parameters.begin(), layers[layer].parameters.end());
  }
  return {unique.begin(), unique.end()};
}

Json to_json(const ModelDescription& description) {
  Json parameters = Json::array();
  for (const auto& parameter : description.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"shape", parameter.shape},
                          {"dtype", parameter.dtype},
                          {"trainable", parameter.trainable}});
  }
  Json layers = Json::array();
  for (const auto& layer : description.layers) {
    layers.push_back({{"name", layer.name},
                      {"parameters", layer.parameters},
                      {"buffer_bytes", layer.buffer_bytes},
                      {"activation_bytes", layer.activation_bytes},
                      {"border", tensors_to_json(layer.border)},
                      {"data_inputs", layer.data_inputs},
                      {"random", layer.random}});
    if (!layer.whole_because.empty()) layers.back()["whole_because"] = layer.whole_because;
  }
  return {{"format", kFormat},
          {"version", ModelDescription::kVersion},
          {"source", description.source},
          {"fingerprint", description.fingerprint},
          {"micro_batch", description.micro_batch},
          {"inputs", tensors_to_json(description.inputs)},
          {"outputs", tensors_to_json(description.outputs)},
          {"parameters", std::move(parameters)},
          {"layers", std::move(layers)}};
}

Result<ModelDescription> model_description_from_json(const Json& json, const std::string& place) {
  const std::string remedy = "write it anew with `funcpipe-worker describe`";
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return fail(ErrorCode::invalid_input,
                fmt::format("this is no model description: \"format\" is not \"{}\"", kFormat), place, remedy);
  }
  if (const auto version = json.value("version", Json()); version != ModelDescription::kVersion) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the model description has version {}, this program reads version {}", version.dump(),
                            ModelDescription::kVersion),
                place, remedy);
  }
  try {
    ModelDescription description;
    description.source = json.at("source");
    description.fingerprint = json.at("fingerprint");
    description.micro_batch = json.at("micro_batch");
    description.inputs = tensors_from_json(json.at("inputs"));
    description.outputs = tensors_from_json(json.at("outputs"));
    for (const auto& item : json.at("parameters")) {
      description.parameters.push_back({item.at("name"), item.at("shape"), item.at("dtype"), item.at("trainable")});
    }
    for (const auto& item : json.at("layers")) description.layers.push_back(layer_from_json(item));
    if (const auto problem = inconsistency(description); !problem.empty()) {
      return fail(ErrorCode::invalid_input, "the model description contradicts itself: " + problem, place, remedy);
    }
    return description;
  } catch (const Json::exception& error) {
    return fail(ErrorCode::invalid_input, fmt::format("the model description is damaged: {}", error.what()), place,
                remedy);
  }
}

}  // namespace funcpipe
