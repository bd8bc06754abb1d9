// A model, a platform, data and a job that fit together.
#pragma once

#include <fmt/format.h>

#include "catalog/platform.h"
#include "config/job_config.h"
#include "data/dataset.h"
#include "profile/model_description.h"

namespace funcpipe {

// Four layers of 1 MiB of parameters each, 4 numbers in, 3 classes out.
inline ModelDescription four_layers() {
  ModelDescription model;
  model.source = "four.pt";
  model.fingerprint = "f";
  model.micro_batch = 8;
  model.inputs = {{"float32", {8, 4}, false}};
  model.outputs = {{"float32", {8, 3}, true}};
  for (int i = 0; i < 4; ++i) {
    model.parameters.push_back({fmt::format("p{}", i), {512, 512}});
    LayerDescription layer;
    layer.name = fmt::format("layer{}", i);
    layer.parameters = {i};
    layer.activation_bytes = kMiB;
    if (i < 3) layer.border = {{"float32", {8, 16}, true}};
    if (i == 0) layer.data_inputs = {0};
    model.layers.push_back(layer);
  }
  return model;
}

inline Platform small_platform() {
  Platform platform;
  platform.name = "small";
  for (int memory : {128, 512, 1024, 2048}) platform.sizes.push_back({memory, 1, 1e8, 1e8});
  platform.limits.concurrency = 6;
  return platform;
}

inline Datasets rows(std::int64_t count) {
  Datasets data;
  data.train.input = {{"float32", {4}, false}, count, nullptr};
  data.train.target = {{"int64", {}, false}, count, nullptr};
  return data;
}

inline JobConfig job() {
  JobConfig config;
  config.job.name = "job";
  config.model.source = "four.pt";
  config.data.train_input = "x.npy";
  config.data.train_target = "y.npy";
  config.training.global_batch = 32;
  config.training.micro_batch = 8;
  return config;
}

}  // namespace funcpipe
