// Makes the TorchScript module of a stage: one method for each layer, and the tensors they use.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <vector>

#include "model/span.h"
#include "model/stage_file.h"

namespace funcpipe {

// Nodes [begin, end) of the flattened model between two neighbouring borders.
struct CutLayer {
  int begin = 0;
  int end = 0;
  bool random = false;
  SpanGraph span;
};

// Returns for each slot its index in ModelDescription::parameters; -1 for a buffer.
std::vector<int> parameter_indices(const FlatModel& model);

// Makes the module of layers [manifest.first_layer, manifest.end_layer) and fills in the rest of the manifest. The
// module shares the model's tensors.
torch::jit::Module stage_module(const FlatModel& model, const std::vector<int>& parameter_of_slot,
                                const std::vector<CutLayer>& layers, StageManifest& manifest);

}  // namespace funcpipe
