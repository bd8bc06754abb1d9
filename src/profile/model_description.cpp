#include "profile/model_description.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"
#include "profile/json_reader.h"

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

// Returns whether the shape has no negative extent and its size, at `bytes` an element, is at most kMostBytes.
bool is_possible(const std::vector<std::int64_t>& shape, Bytes bytes) {
  for (const std::int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes) || bytes > JsonReader::kMostBytes) return false;
  return true;
}

std::vector<std::int64_t> shape_from_json(JsonReader& reader, const Json& list, const std::string& path,
                                          const std::string& dtype) {
  std::vector<std::int64_t> shape;
  if (!list.is_array()) reader.wrong(path, fmt::format("expected a list of extents, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size() && !reader.error(); ++i)
    shape.push_back(reader.whole(list[i], fmt::format("{}[{}]", path, i), 0, JsonReader::kMostBytes));
  if (!is_possible(shape, std::max<Bytes>(element_size(dtype), 1)))
    reader.wrong(path, "a tensor so large there cannot be");
  return shape;
}

std::string dtype_from_json(JsonReader& reader, const Json& item, const std::string& path) {
  std::string dtype = reader.text(item, "dtype", path);
  if (element_size(dtype) == 0)
    reader.wrong(JsonReader::below(path, "dtype"), fmt::format("unknown type \"{}\"", dtype.substr(0, 64)));
  return dtype;
}

std::vector<double> values_from_json(JsonReader& reader, const Json& list, const std::string& path) {
  std::vector<double> values;
  if (!list.is_array()) reader.wrong(path, fmt::format("expected a list of numbers, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size() && !reader.error(); ++i) {
    if (!list[i].is_number())
      reader.wrong(fmt::format("{}[{}]", path, i), fmt::format("expected a number, found {}", list[i].type_name()));
    else
      values.push_back(list[i].get<double>());
  }
  return values;
}

std::vector<TensorSpec> tensors_from_json(JsonReader& reader, const Json& list, const std::string& path) {
  std::vector<TensorSpec> tensors;
  if (!list.is_array()) reader.wrong(path, fmt::format("expected a list of tensors, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size() && !reader.error(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    if (!reader.keys(list[i], {"dtype", "shape"}, at, {"requires_grad", "values"})) break;
    TensorSpec& tensor = tensors.emplace_back();
    tensor.dtype = dtype_from_json(reader, list[i], at);
    tensor.shape = shape_from_json(reader, list[i].at("shape"), at + ".shape", tensor.dtype);
    if (list[i].contains("requires_grad")) tensor.requires_grad = reader.flag(list[i], "requires_grad", at);
    if (list[i].contains("values")) tensor.values = values_from_json(reader, list[i].at("values"), at + ".values");
    if (!tensor.values.empty() && !reader.error() && std::ssize(tensor.values) != product(tensor.shape))
      reader.wrong(at + ".values",
                   fmt::format("{} values in a tensor of {}", tensor.values.size(), product(tensor.shape)));
  }
  return tensors;
}

std::vector<std::string> texts_from_json(JsonReader& reader, const Json& list, const std::string& path) {
  std::vector<std::string> texts;
  if (!list.is_array()) reader.wrong(path, fmt::format("expected a list of texts, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size() && !reader.error(); ++i) {
    if (list[i].is_string())
      texts.push_back(list[i].get<std::string>());
    else
      reader.wrong(fmt::format("{}[{}]", path, i), fmt::format("expected a text, found {}", list[i].type_name()));
  }
  return texts;
}

// Reads indices into a list of `size` elements.
std::vector<int> indices_from_json(JsonReader& reader, const Json& list, const std::string& path, std::size_t size,
                                   const char* of) {
  std::vector<int> indices;
  if (!list.is_array()) reader.wrong(path, fmt::format("expected a list of indices, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size() && !reader.error(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    const std::int64_t index = reader.whole(list[i], at, 0, JsonReader::kMostInt);
    if (index >= static_cast<std::int64_t>(size))
      reader.wrong(at, fmt::format("{} is beyond the {} listed: {}", of, size, index));
    indices.push_back(static_cast<int>(index));
  }
  return indices;
}

ParameterDescription parameter_from_json(JsonReader& reader, const Json& item, const std::string& path) {
  ParameterDescription parameter;
  if (!reader.keys(item, {"name", "shape", "dtype", "trainable"}, path)) return parameter;
  parameter.name = reader.text(item, "name", path);
  parameter.dtype = dtype_from_json(reader, item, path);
  parameter.shape = shape_from_json(reader, item.at("shape"), path + ".shape", parameter.dtype);
  parameter.trainable = reader.flag(item, "trainable", path);
  return parameter;
}

LayerDescription layer_from_json(JsonReader& reader, const Json& item, const std::string& path,
                                 const ModelDescription& model) {
  LayerDescription layer;
  if (!reader.keys(item, {"name", "parameters", "buffer_bytes", "activation_bytes", "border", "data_inputs", "random"},
                   path, {"whole_because", "shared_state", "shared_state_bytes"}))
    return layer;
  layer.name = reader.text(item, "name", path);
  layer.parameters =
      indices_from_json(reader, item.at("parameters"), path + ".parameters", model.parameters.size(), "a parameter");
  layer.buffer_bytes = reader.whole(item, "buffer_bytes", path, 0, JsonReader::kMostBytes);
  layer.activation_bytes = reader.whole(item, "activation_bytes", path, 0, JsonReader::kMostBytes);
  layer.border = tensors_from_json(reader, item.at("border"), path + ".border");
  layer.data_inputs =
      indices_from_json(reader, item.at("data_inputs"), path + ".data_inputs", model.inputs.size(), "a data input");
  layer.random = reader.flag(item, "random", path);
  if (item.contains("shared_state"))
    layer.shared_state = texts_from_json(reader, item.at("shared_state"), path + ".shared_state");
  if (item.contains("shared_state_bytes"))
    layer.shared_state_bytes = reader.whole(item, "shared_state_bytes", path, 0, JsonReader::kMostBytes);
  if (item.contains("whole_because")) layer.whole_because = reader.text(item, "whole_because", path);
  return layer;
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
    if (layer.shared_state_bytes > 0) {
      layers.back()["shared_state"] = layer.shared_state;
      layers.back()["shared_state_bytes"] = layer.shared_state_bytes;
    }
    if (!layer.whole_because.empty()) layers.back()["whole_because"] = layer.whole_because;
  }
  Json json = {{"format", kFormat},
               {"version", ModelDescription::kVersion},
               {"source", description.source},
               {"fingerprint", description.fingerprint},
               {"micro_batch", description.micro_batch},
               {"inputs", tensors_to_json(description.inputs)},
               {"outputs", tensors_to_json(description.outputs)},
               {"parameters", std::move(parameters)},
               {"layers", std::move(layers)}};
  if (!description.perhaps_not_in_state_dict.empty())
    json["perhaps_not_in_state_dict"] = description.perhaps_not_in_state_dict;
  return json;
}

Result<ModelDescription> model_description_from_json(const Json& json, const std::string& place) {
  const std::string remedy = "write it anew with `funcpipe-worker describe`";
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return fail(ErrorCode::invalid_input,
                fmt::format("this is no model description: \"format\" is not \"{}\"", kFormat), place, remedy);
  }
  if (const auto version = json.value("version", Json()); version != ModelDescription::kVersion) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the model description has version {}, this program reads version {}",
                            version.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 40),
                            ModelDescription::kVersion),
                place, remedy);
  }
  JsonReader reader(place, remedy);
  ModelDescription description;
  if (!reader.keys(
          json,
          {"format", "version", "source", "fingerprint", "micro_batch", "inputs", "outputs", "parameters", "layers"},
          "", {"perhaps_not_in_state_dict"}))
    return tl::unexpected(*reader.error());
  description.source = reader.text(json, "source", "");
  description.fingerprint = reader.text(json, "fingerprint", "");
  description.micro_batch = static_cast<int>(reader.whole(json, "micro_batch", "", 1, JsonReader::kMostInt));
  description.inputs = tensors_from_json(reader, json.at("inputs"), "inputs");
  description.outputs = tensors_from_json(reader, json.at("outputs"), "outputs");
  if (json.contains("perhaps_not_in_state_dict"))
    description.perhaps_not_in_state_dict =
        texts_from_json(reader, json.at("perhaps_not_in_state_dict"), "perhaps_not_in_state_dict");
  const Json& parameters = json.at("parameters");
  if (!parameters.is_array())
    reader.wrong("parameters", fmt::format("expected a list of parameters, found {}", parameters.type_name()));
  for (std::size_t i = 0; i < parameters.size() && !reader.error(); ++i)
    description.parameters.push_back(parameter_from_json(reader, parameters[i], fmt::format("parameters[{}]", i)));
  const Json& layers = reader.list(json.at("layers"), "layers", -1, "layers");
  for (std::size_t i = 0; i < layers.size() && !reader.error(); ++i)
    description.layers.push_back(layer_from_json(reader, layers[i], fmt::format("layers[{}]", i), description));
  if (reader.error()) return tl::unexpected(*reader.error());
  return description;
}

}  // namespace funcpipe
