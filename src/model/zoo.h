// The built-in models, made in C++ as TorchScript modules with PyTorch's usual names and initial distributions.
//
// A name may have options: "resnet50", "resnet?blocks=1,1,1,1&classes=10&size=64", "bert?layers=4&width=256".
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

struct ZooModel {
  torch::jit::Module module;       // in training mode
  std::vector<TensorSpec> inputs;  // of one sample, so dimension 0 is 1
};

// `name` is given without "zoo:". The same name and seed give the same weights. Errors: invalid_input for an unknown
// name, option or value; the message names the nearest known one and lists all.
Result<ZooModel> make_zoo_model(const std::string& name, std::uint64_t seed);

// One line for each family: its names and its options with their defaults.
std::string zoo_help();

}  // namespace funcpipe
