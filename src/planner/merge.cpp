#include "planner/merge.h"

#include <algorithm>

namespace funcpipe {
namespace {

// Returns each layer's time forward and backward on the largest function size that it fits.
std::vector<Seconds> computing(const Chain& chain) {
  std::vector<Seconds> seconds(chain.layers.size(), 0);
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    for (std::size_t j = chain.options.size(); j-- > 0;) {
      const Seconds both = chain.forward[j][i] + chain.backward[j][i];
      if (both == kInfinity) continue;
      seconds[i] = both;
      break;
    }
  }
  return seconds;
}

std::vector<int> choose_ends(const Chain& chain, int count) {
  const int layers = chain.layer_count();
  const std::vector<Seconds> seconds = computing(chain);
  std::vector<Seconds> before(layers + 1, 0);
  for (int i = 0; i < layers; ++i) before[i + 1] = before[i] + seconds[i];
  const Seconds share = before[layers] / count;
  std::vector<int> ends;
  int first = 1;
  for (int group = 1; group < count; ++group) {
    // The positions within half a share of the even one, or the first one beyond, so that there is at least one.
    const auto position = [&](double at) {
      return static_cast<int>(std::lower_bound(before.begin(), before.end(), at) - before.begin());
    };
    const int low = std::max(first, position((group - 0.5) * share));
    const int high = std::min(layers - 1, std::max(low, position((group + 0.5) * share) - 1));
    if (low > high) continue;
    int best = low;
    for (int end = low; end <= high; ++end)
      if (chain.layers[end - 1].border < chain.layers[best - 1].border) best = end;
    ends.push_back(best);
    first = best + 1;
  }
  ends.push_back(layers);
  return ends;
}

}  // namespace

MergedChain merge_layers(const Chain& chain, int count) {
  MergedChain merged{chain, {}};
  if (count >= chain.layer_count()) {
    for (int i = 1; i <= chain.layer_count(); ++i) merged.ends.push_back(i);
    return merged;
  }
  merged.ends = choose_ends(chain, count);
  const std::size_t groups = merged.ends.size();
  merged.chain.layers.assign(groups, {});
  for (std::size_t j = 0; j < chain.options.size(); ++j) {
    merged.chain.forward[j].assign(groups, 0);
    merged.chain.backward[j].assign(groups, 0);
    merged.chain.warm_up[j].assign(groups, 0);
  }
  std::vector<int> group_of;
  int first = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    ChainLayer& group = merged.chain.layers[g];
    for (int i = first; i < merged.ends[g]; ++i) {
      const ChainLayer& layer = chain.layers[i];
      group.parameters += layer.parameters;
      group.trainable += layer.trainable;
      group.buffers += layer.buffers;
      group.shared_state += layer.shared_state;
      group.activations += layer.activations;
      group.working = std::max(group.working, layer.working);
      group.border = layer.border;
      group.border_gradient = layer.border_gradient;
      group.reads_input |= layer.reads_input;
      group.reads_target |= layer.reads_target;
      for (std::size_t j = 0; j < chain.options.size(); ++j) {
        merged.chain.forward[j][g] += chain.forward[j][i];
        merged.chain.backward[j][g] += chain.backward[j][i];
        merged.chain.warm_up[j][g] += chain.warm_up[j][i];
      }
      group_of.push_back(static_cast<int>(g));
    }
    first = merged.ends[g];
  }
  merged.chain.shared.clear();
  for (SharedParameter shared : chain.shared) {
    for (int& layer : shared.layers) layer = group_of[layer];
    shared.layers.erase(std::unique(shared.layers.begin(), shared.layers.end()), shared.layers.end());
    if (shared.layers.size() > 1) {
      merged.chain.shared.push_back(std::move(shared));
      continue;
    }
    ChainLayer& group = merged.chain.layers[shared.layers.front()];
    group.parameters += shared.bytes;
    group.trainable += shared.trainable;
  }
  return merged;
}

}  // namespace funcpipe
