// Describes a model for code that does not use libtorch: its layers, their sizes in bytes, and the tensors at every
// possible cut. `funcpipe-worker describe` writes it. Format: docs/formats/model-description.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// A tensor at the micro-batch size of the description. `dtype` is PyTorch's short name: float32, int64, uint8, bool...
struct TensorSpec {
  std::string dtype;
  std::vector<std::int64_t> shape;
  bool requires_grad = false;  // A gradient of the same size is sent back across a cut here.
  std::vector<double> values;  // Values of a small tensor of int64, float64 or bool, such as sizes and counts.
  Bytes bytes() const;
};

Bytes element_size(const std::string& dtype);  // Returns 0 for an unknown dtype.

struct ParameterDescription {
  std::string name;  // Name in the module's state dict; the first of several names of one parameter.
  std::vector<std::int64_t> shape;
  std::string dtype = "float32";
  bool trainable = true;
  std::int64_t elements() const;
  Bytes bytes() const { return elements() * element_size(dtype); }
};

// A layer: the operations between two neighbouring places where the model can be cut.
struct LayerDescription {
  std::string name;                // Names of the submodules in it: "layer1.0.conv1".
  std::vector<int> parameters;     // Indices into ModelDescription::parameters; a tied one is in several layers.
  Bytes buffer_bytes = 0;          // Buffers such as BatchNorm statistics, and frozen weights that forward writes to.
  Bytes activation_bytes = 0;      // Outputs of its operations kept for backward, at ModelDescription::micro_batch.
  std::vector<TensorSpec> border;  // Tensors that a cut after it sends; empty for the last layer.
  std::vector<int> data_inputs;    // Indices of the model's inputs that it reads; each stage loads them itself.
  bool random = false;             // It draws random numbers (dropout).
  std::string whole_because;       // Why it could not be cut further, if it has several operations with weights.
  // Names in the state dict of state that forward changes and the loss depends on (a code book, a queue, a hidden
  // state). In every iteration replica 0 sends its state to the other replicas, as PyTorch's DistributedDataParallel
  // does.
  std::vector<std::string> shared_state;
  Bytes shared_state_bytes = 0;
};

struct ModelDescription {
  static constexpr int kVersion = 1;
  std::string source;              // "zoo:fashion-cnn" or the file's name
  std::string fingerprint;         // Hash of the flattened graph and parameter shapes. A plan is for one fingerprint.
  int micro_batch = 1;             // Samples at which the sizes were taken.
  std::vector<TensorSpec> inputs;  // the data inputs
  std::vector<TensorSpec> outputs;
  std::vector<ParameterDescription> parameters;
  std::vector<LayerDescription> layers;
  // Buffers that forward only reads and that may be missing from the state dict (persistent=False). TorchScript files
  // do not say which are.
  std::vector<std::string> perhaps_not_in_state_dict;

  Bytes parameter_bytes() const;
  // Returns the indices of the parameters that layers [first_layer, end_layer) use, ascending and each once.
  std::vector<int> parameters_of(int first_layer, int end_layer) const;
};

// Error of model_description_from_json: invalid_input, with the place of the wrong value.
nlohmann::json to_json(const ModelDescription& description);
Result<ModelDescription> model_description_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
