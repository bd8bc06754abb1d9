#include "planner/made_profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {
namespace {

constexpr int kLeastMb = 1024, kMostMb = 10240;

double depth(int layer, int layers) {
  return (layer + 0.5) / layers;
}

}  // namespace

Profile made_profile(const Platform& platform, int layers) {
  Profile profile;
  profile.model.source = "zoo:made";
  profile.model.fingerprint = "0123456789abcdef";
  profile.model.micro_batch = 1;
  profile.model.inputs = {{"float32", {1, 3, 224, 224}, false}};
  profile.model.outputs = {{"float32", {1, 1000}, true}};
  for (int i = 0; i < layers; ++i) {
    const auto elements = static_cast<std::int64_t>(5'000'000 * 2 * depth(i, layers));
    profile.model.parameters.push_back({fmt::format("block{}.weight", i), {elements}, "float32", true});
    const auto border = static_cast<std::int64_t>(250'000 * 2 * (1 - depth(i, layers)));
    LayerDescription layer{fmt::format("block{}", i), {i}, 0, 4 * border, {}, {}, false};
    if (i + 1 < layers) layer.border = {{"float32", {1, border}, true}};
    if (i == 0) layer.data_inputs = {0};
    profile.model.layers.push_back(layer);
  }
  profile.platform = platform.name;
  profile.vcpu_speed = platform.vcpu_speed;
  profile.machine = "none: made up for tests";
  profile.date = "2026-11-23";
  profile.optimizer = "momentum";
  profile.base_memory = 150 * kMiB;
  for (const FunctionSize& option : platform.sizes)
    if (option.memory_mb >= kLeastMb && option.memory_mb <= kMostMb)
      profile.options.push_back({option.memory_mb, option.vcpus, 1, Origin::measured, 0.5, 5e-10, 3e-10, 2e-4});
  for (const int samples : {1, 4}) {
    MicroBatchProfile at{samples, {}, {}};
    for (int i = 0; i < layers; ++i) {
      const auto activations = static_cast<Bytes>(10'000'000 * 2 * (1 - depth(i, layers))) * samples;
      const Bytes border = i + 1 < layers ? profile.model.layers[i].border[0].bytes() * samples : 0;
      at.sizes.push_back({activations, activations / 2, border, border});
    }
    for (const OptionProfile& option : profile.options) {
      const double speed = std::min(option.vcpus, 1.0) + 0.8 * std::max(option.vcpus - 1, 0.0);
      std::vector<LayerTime> times;
      for (int i = 0; i < layers; ++i) {
        const Seconds forward = (0.03 + 0.02 * (i % 3)) * samples / speed;
        times.push_back({true, forward, 2 * forward, forward / 50, forward / 25});
      }
      at.times.push_back(std::move(times));
    }
    profile.micro_batches.push_back(std::move(at));
  }
  return profile;
}

}  // namespace funcpipe
