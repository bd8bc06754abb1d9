#pragma once

#include <vector>

#include "catalog/platform.h"
#include "profile/model_description.h"

namespace funcpipe::testing {

// A chain of layers with a parameter of so many MiB each.
inline ModelDescription chain(const std::vector<std::int64_t>& parameter_mib, Bytes activation_bytes = 0) {
  ModelDescription model;
  model.source = "chain";
  model.fingerprint = "f1";
  for (std::size_t i = 0; i < parameter_mib.size(); ++i) {
    model.parameters.push_back({.name = "p", .shape = {parameter_mib[i] * kMiB / 4}});
    LayerDescription layer;
    layer.parameters = {static_cast<int>(i)};
    layer.activation_bytes = activation_bytes;
    if (i + 1 < parameter_mib.size()) layer.border = {{"float32", {1, 256}, true}};
    model.layers.push_back(layer);
  }
  return model;
}

inline Platform cloud() {
  Platform platform;
  platform.name = "cloud";
  for (const int memory : {512, 1024, 2048, 4096}) platform.sizes.push_back({.memory_mb = memory});
  return platform;
}

}  // namespace funcpipe::testing
