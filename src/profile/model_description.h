// What is known of a model without running libtorch: its layers, their bytes, and the tensors at every possible cut.
// Written by `funcpipe-worker describe`, read by plan, schedule, job and report. Format:
// docs/formats/model-description.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// A tensor as it was at the described micro-batch size. `dtype` is PyTorch's short name: float32, int64, uint8, bool...
struct TensorSpec {
  std::string dtype;
  std::vector<std::int64_t> shape;
  bool requires_grad = false;  // a gradient of the same size travels back across a cut here
  std::vector<double> values;  // of a few whole numbers, double precision numbers or booleans: sizes, counts
  Bytes bytes() const;
};

Bytes element_size(const std::string& dtype);  // 0 if unknown

struct ParameterDescription {
  std::string name;  // as in the module's state dict; of tied parameters the first name
  std::vector<std::int64_t> shape;
  std::string dtype = "float32";
  bool trainable = true;
  std::int64_t elements() const;
  Bytes bytes() const { return elements() * element_size(dtype); }
};

// The span between two neighbouring candidate cuts.
struct LayerDescription {
  std::string name;                // of the submodules in it: "layer1.0.conv1"
  std::vector<int> parameters;     // indices into ModelDescription::parameters; an index in several layers is tied
  Bytes buffer_bytes = 0;          // BatchNorm statistics and the like; frozen weights that forward writes to
  Bytes activation_bytes = 0;      // kept for backward, at `micro_batch` samples: outputs of its operations
  std::vector<TensorSpec> border;  // tensors live after it: what a cut here sends; empty after the last layer
  std::vector<int> data_inputs;    // which of the model's inputs it reads (each stage reads them from the store)
  bool random = false;             // draws random numbers (dropout)
  std::string whole_because;       // why it is one layer though several operations apply weights; often empty
  // State that forward changes and the loss depends on (a code book, a queue, a hidden state): names in the state dict.
  // Every iteration replica 0's goes to the other replicas, as with PyTorch's DistributedDataParallel.
  std::vector<std::string> shared_state;
  Bytes shared_state_bytes = 0;
};

struct ModelDescription {
  static constexpr int kVersion = 1;
  std::string source;              // "zoo:fashion-cnn" or the file's name
  std::string fingerprint;         // of the flattened graph and parameter shapes: a plan is for one fingerprint
  int micro_batch = 1;             // samples the sizes were taken at
  std::vector<TensorSpec> inputs;  // the data inputs
  std::vector<TensorSpec> outputs;
  std::vector<ParameterDescription> parameters;
  std::vector<LayerDescription> layers;
  // Buffers that forward only reads, where the model's file does not say whether its state dict has them
  // (persistent=False): TorchScript does not keep that.
  std::vector<std::string> perhaps_not_in_state_dict;

  Bytes parameter_bytes() const;
  // Unique parameters used by layers [first, end), ascending.
  std::vector<int> parameters_of(int first_layer, int end_layer) const;
};

nlohmann::json to_json(const ModelDescription& description);
Result<ModelDescription> model_description_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
