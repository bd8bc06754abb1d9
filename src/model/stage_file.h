// The stage file: a TorchScript archive of a span of layers with a manifest (docs/formats/stage.md).
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

struct StageManifest {
  static constexpr int kVersion = 1;
  struct Layer {
    int index = 0;
    std::string method;            // of the module: (border..., data..., training) -> tuple of tensors
    std::vector<int> data_inputs;  // inputs of the model, ascending
    bool random = false;
  };
  struct Tensor {
    std::string name;       // in the whole model's state dict
    std::string attribute;  // of the stage's module
    int index = -1;         // for parameters: the index in ModelDescription::parameters
    bool trainable = false;
    bool changes = false;     // forward writes to it
    bool feeds_loss = false;  // what training computes depends on it, so replicas must have the same
  };
  std::string fingerprint;  // of the model that was cut
  int first_layer = 0;
  int end_layer = 0;
  std::vector<Layer> layers;
  std::vector<Tensor> parameters;
  std::vector<Tensor> buffers;
};

Result<std::string> write_stage_file(const torch::jit::Module& module, const StageManifest& manifest);

struct StageFile {
  torch::jit::Module module;
  StageManifest manifest;
};
Result<StageFile> read_stage_file(std::string_view archive);

}  // namespace funcpipe
