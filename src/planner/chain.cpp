#include "planner/chain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "profile/derive.h"
#include "schedule/memory.h"

namespace funcpipe {
namespace {

double trainable_part(const ParameterDescription& parameter) {
  return parameter.trainable ? static_cast<double>(parameter.bytes()) : 0;
}

// Adds each parameter to the layer that uses it, or to the shared ones if several do.
void place_parameters(Chain& chain, const ModelDescription& model) {
  std::map<int, std::vector<int>> users;
  for (int i = 0; i < std::ssize(model.layers); ++i) {
    for (const int index : model.layers[i].parameters) {
      std::vector<int>& layers = users[index];
      if (layers.empty() || layers.back() != i) layers.push_back(i);
    }
  }
  for (auto& [index, layers] : users) {
    const ParameterDescription& parameter = model.parameters[index];
    const auto bytes = static_cast<double>(parameter.bytes());
    if (layers.size() == 1) {
      chain.layers[layers.front()].parameters += bytes;
      chain.layers[layers.front()].trainable += trainable_part(parameter);
    } else {
      chain.shared.push_back({bytes, trainable_part(parameter), std::move(layers)});
    }
  }
}

// Returns by how many seconds a CPU second of transfers delays computing: none if a whole vCPU is left beside the
// computing threads; one, at a vCPU or more, if none is left.
double delay(const FunctionSize& size, int threads, bool limited) {
  const double vcpus = limited ? size.vcpus : std::max(size.vcpus, static_cast<double>(threads));
  const double spare = std::clamp(vcpus - threads, 0.0, 1.0);
  return (1 - spare) / std::max(std::min(vcpus, 1.0), 1e-9);
}

std::string listed(const std::vector<std::string>& sizes) {
  return fmt::format("{}", fmt::join(sizes, ", "));
}

// Makes the chain of a profile that is adapted to the platform.
Result<Chain> chain_of(const Profile& profile, const Platform& platform, int micro_batch, const TrainingState& state,
                       int connections) {
  Chain chain;
  chain.micro_batch = micro_batch;
  chain.latency = platform.latency;
  chain.burst = platform.burst;
  chain.prices = platform.prices;
  chain.limits = platform.limits;
  chain.store = platform.store;
  chain.memory_limited = platform.limit_memory;
  chain.base_memory = static_cast<double>(profile.base_memory);
  chain.state = state;
  chain.connections = connections;

  const MicroBatchProfile at = at_micro_batch(profile, micro_batch);
  const ModelDescription& model = profile.model;
  chain.layers.resize(model.layers.size());
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    ChainLayer& layer = chain.layers[i];
    const LayerSizes& sizes = at.sizes[i];
    layer.buffers = static_cast<double>(model.layers[i].buffer_bytes);
    layer.shared_state = static_cast<double>(model.layers[i].shared_state_bytes);
    layer.activations = static_cast<double>(sizes.activations);
    layer.working = static_cast<double>(sizes.working);
    layer.border = static_cast<double>(sizes.border);
    layer.border_gradient = static_cast<double>(sizes.border_gradient);
    for (const int input : model.layers[i].data_inputs) (input == 0 ? layer.reads_input : layer.reads_target) = true;
  }
  if (!chain.layers.empty()) chain.layers.back().reads_target = true;
  place_parameters(chain, model);

  std::vector<std::string> profiled;
  for (std::size_t j = 0; j < profile.options.size(); ++j) {
    const OptionProfile& measured = profile.options[j];
    profiled.push_back(to_string(SizeChoice{measured.memory_mb, measured.vcpus}));
    const FunctionSize* offered = platform.exact_size(measured.memory_mb, measured.vcpus);
    if (!offered) continue;
    const double share = delay(*offered, measured.threads, platform.limit_cpu);
    chain.options.push_back({.memory_mb = offered->memory_mb,
                             .vcpus = offered->vcpus,
                             .names_vcpus = platform.choice(*offered).vcpus > 0,
                             .threads = measured.threads,
                             .uplink = offered->uplink,
                             .downlink = offered->downlink,
                             .per_second = compute_price(platform.prices, offered->memory_mb, offered->vcpus, 1),
                             .cold_start = measured.cold_start,
                             .update_per_byte = measured.update_per_byte,
                             .transfer_per_byte = measured.transfer_cpu_per_byte * share,
                             .transfer_per_request = measured.transfer_cpu_per_request * share});
    std::vector<Seconds> forward, backward, warm_up;
    for (const LayerTime& time : at.times[j]) {
      warm_up.push_back(time.warm_up);
      forward.push_back(time.fits ? time.forward : kInfinity);
      backward.push_back(time.fits ? time.backward : kInfinity);
    }
    chain.warm_up.push_back(std::move(warm_up));
    chain.forward.push_back(std::move(forward));
    chain.backward.push_back(std::move(backward));
  }
  if (chain.options.empty()) {
    std::vector<std::string> offered;
    for (const FunctionSize& size : platform.sizes)
      offered.push_back(to_string(SizeChoice{size.memory_mb, size.vcpus}));
    return fail(ErrorCode::invalid_input,
                fmt::format("none of the function sizes profiled ({}) is one of {}'s ({})", listed(profiled),
                            platform.name, listed(offered)),
                {}, fmt::format("profile the model with --platform {}", platform.name));
  }
  return chain;
}

}  // namespace

Result<Chain> make_chain(const Profile& profile, const Platform& platform, int micro_batch, const TrainingState& state,
                         int connections) {
  if (is_adapted_to(profile, platform)) return chain_of(profile, platform, micro_batch, state, connections);
  Profile adapted = profile;
  adapt_to(adapted, platform);
  return chain_of(adapted, platform, micro_batch, state, connections);
}

}  // namespace funcpipe
