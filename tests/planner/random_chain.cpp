#include "planner/random_chain.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

constexpr double kMillion = 1e6;

int draw(std::mt19937_64& random, int least, int most) {
  return std::uniform_int_distribution<int>(least, most)(random);
}

bool chance(std::mt19937_64& random, double share) {
  return std::uniform_real_distribution<double>()(random) < share;
}

void cloud(Chain& chain) {
  chain.prices = {.gb_second = 0.0000166667, .invocation = 2e-7, .put = 5e-6, .get = 4e-7, .storage_gb_month = 0.023};
  chain.limits.lifetime = 900;
  chain.micro_batch = 4;
}

}  // namespace

Chain random_chain(std::mt19937_64& random, int layers, int options) {
  Chain chain;
  cloud(chain);
  chain.latency = {.put = 0.01 * draw(random, 0, 4), .get = 0.01 * draw(random, 0, 3)};
  chain.base_memory = 100 * kMiB;
  chain.state.optimizer_copies = draw(random, 0, 2);
  chain.limits.concurrency = chance(random, 0.2) ? draw(random, 3, 8) : 1000;
  if (chance(random, 0.2)) chain.burst = {.bytes = draw(random, 1, 200) * kMiB, .rate = 1e9};
  if (chance(random, 0.3)) {
    chain.store.puts_per_second = 10 * draw(random, 1, 40);
    chain.store.gets_per_second = 10 * draw(random, 1, 80);
  } else if (chance(random, 0.2)) {
    chain.store.upload = 20e6 * draw(random, 1, 20);
    chain.store.download = 20e6 * draw(random, 1, 30);
    chain.store.requests_per_second = 10 * draw(random, 2, 90);
  }
  for (int i = 0; i < layers; ++i) {
    ChainLayer layer;
    layer.parameters = layer.trainable = draw(random, 0, 5) * 10 * kMillion;
    layer.activations = draw(random, 0, 4) * 10 * kMillion;
    layer.working = draw(random, 0, 2) * 5 * kMillion;
    layer.border = chance(random, 0.2) ? 0 : draw(random, 1, 5) * 2 * kMillion;
    layer.border_gradient = chance(random, 0.2) ? 0 : layer.border;
    chain.layers.push_back(layer);
  }
  chain.layers.front().reads_input = chain.layers.back().reads_target = true;
  if (layers > 2 && chance(random, 0.3))
    chain.shared.push_back({20 * kMillion, 20 * kMillion, {0, draw(random, 1, layers - 1)}});
  std::vector<double> work;
  for (int i = 0; i < layers; ++i) work.push_back(0.05 * draw(random, 0, 4));
  for (int j = 0; j < options; ++j) {
    ChainOption option;
    option.memory_mb = 400 * (j + 1) + 64 * draw(random, 0, 3);
    option.vcpus = 0.5 * (j + 1);
    option.uplink = option.downlink = 25e6 * draw(random, 1, 4);
    option.per_second = compute_price(chain.prices, option.memory_mb, option.vcpus, 1);
    option.cold_start = 0.3;
    option.update_per_byte = chance(random, 0.5) ? 0 : 1e-9;
    chain.options.push_back(option);
    std::vector<Seconds> forward, backward, warm_up;
    for (int i = 0; i < layers; ++i) {
      const bool missing = chance(random, 0.03);
      forward.push_back(missing ? kInfinity : work[i] / option.vcpus);
      warm_up.push_back(work[i]);
      backward.push_back(missing ? kInfinity : (chance(random, 0.5) ? 2 : 1) * work[i] / option.vcpus);
    }
    chain.forward.push_back(std::move(forward));
    chain.backward.push_back(std::move(backward));
    chain.warm_up.push_back(std::move(warm_up));
  }
  return chain;
}

Chain smooth_chain(std::mt19937_64& random, int layers, int options) {
  Chain chain;
  cloud(chain);
  chain.latency = {.put = 0.055, .get = 0.027};
  chain.base_memory = 150 * kMiB;
  chain.state.optimizer_copies = 1;
  std::vector<double> work;
  const double scale = 300.0 / layers;
  for (int i = 0; i < layers; ++i) {
    const double depth = (i + 0.5) / layers, noise = std::uniform_real_distribution<double>(0.3, 1.7)(random);
    ChainLayer layer;
    layer.parameters = layer.trainable = scale * noise * kMillion * (0.2 + 1.6 * depth);
    layer.activations = scale * noise * kMillion * 4 * (1.6 - 1.2 * depth);
    layer.working = layer.activations;
    layer.border = kMillion * (12.0 - 10 * depth) * std::uniform_real_distribution<double>(0.5, 1)(random);
    layer.border_gradient = layer.border;
    chain.layers.push_back(layer);
    work.push_back(scale * 0.02 * std::uniform_real_distribution<double>(0.3, 1.7)(random));
  }
  chain.layers.front().reads_input = chain.layers.back().reads_target = true;
  const int sizes[] = {1024, 1769, 2048, 3072, 4096, 6144, 8192, 10240};
  for (int j = 0; j < options; ++j) {
    ChainOption option;
    option.memory_mb = sizes[j];
    option.vcpus = option.memory_mb / 1769.0;
    option.uplink = option.downlink = 70e6;
    option.per_second = compute_price(chain.prices, option.memory_mb, option.vcpus, 1);
    option.cold_start = 0.5;
    option.update_per_byte = 5e-10;
    chain.options.push_back(option);
    const double speed = option.vcpus <= 1 ? option.vcpus : 1 + 0.85 * (option.vcpus - 1);
    std::vector<Seconds> forward, backward, warm_up;
    for (const double seconds : work) {
      forward.push_back(seconds / speed);
      backward.push_back(2 * seconds / speed);
      warm_up.push_back(seconds / speed);
    }
    chain.forward.push_back(std::move(forward));
    chain.backward.push_back(std::move(backward));
    chain.warm_up.push_back(std::move(warm_up));
  }
  return chain;
}

}  // namespace funcpipe
