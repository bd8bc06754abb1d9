#include "planner/rivals/tpdmp.h"

#include <algorithm>

#include "planner/bounds.h"

namespace funcpipe {

Seconds device_load(const StageCost& stage, double more) {
  return std::max((more + 1) * (forward_pace(stage) + backward_pace(stage)) + stage.tail, stage.network);
}

std::vector<std::optional<std::vector<int>>> balanced_partitions(int layers, const StageCosts& costs, int option,
                                                                 int most_stages) {
  std::vector<std::vector<Seconds>> load(layers, std::vector<Seconds>(layers + 1, kInfinity));
  for (int first = 0; first < layers; ++first) {
    for (int end = first + 1; end <= layers; ++end)
      if (costs.fits(first, end, option)) load[first][end] = device_load(costs.of(first, end, option), costs.more());
  }
  // least[end] is the least largest load of layers [0, end) in the current number of stages; last_start holds, by
  // number of stages, where the last stage starts.
  std::vector<Seconds> least(layers + 1, kInfinity);
  least[0] = 0;
  std::vector<std::vector<int>> last_start;
  std::vector<std::optional<std::vector<int>>> partitions;
  for (int stages = 1; stages <= std::min(layers, most_stages); ++stages) {
    std::vector<Seconds> next(layers + 1, kInfinity);
    std::vector<int> start(layers + 1, 0);
    for (int first = 0; first < layers; ++first) {
      if (least[first] == kInfinity) continue;
      for (int end = first + 1; end <= layers; ++end) {
        const Seconds worst = std::max(least[first], load[first][end]);
        if (worst >= next[end]) continue;
        next[end] = worst;
        start[end] = first;
      }
    }
    least = std::move(next);
    last_start.push_back(std::move(start));
    partitions.emplace_back();
    if (least[layers] == kInfinity) continue;
    std::vector<int> ends;
    for (int end = layers, stage = stages; stage > 0; end = last_start[--stage][end]) ends.push_back(end);
    std::reverse(ends.begin(), ends.end());
    partitions.back() = std::move(ends);
  }
  return partitions;
}

Frontier tpdmp(const std::vector<Chain>& chains, const SearchSpace& space) {
  Frontier frontier;
  for (int c = 0; c < std::ssize(chains); ++c) {
    const Chain& chain = chains[c];
    const SpanTable spans(chain);
    const int layers = chain.layer_count();
    const int micro_batches = space.micro_batches_of(chain);
    for (const int replicas : space.replicas) {
      if (replicas < 1 || replicas > micro_batches) continue;
      const int limit =
          std::min(space.most_stages > 0 ? space.most_stages : layers, chain.limits.concurrency / replicas);
      for (const SyncAlgorithm sync : space.syncs) {
        const Configuration configuration = space.configuration_of(chain, replicas, sync);
        const StageCosts costs(chain, spans, configuration, space.accounting);
        for (int option = 0; option < std::ssize(chain.options); ++option) {
          for (std::optional<std::vector<int>>& ends : balanced_partitions(layers, costs, option, limit)) {
            if (!ends) continue;
            Candidate candidate{.chain = c, .configuration = configuration, .ends = std::move(*ends)};
            candidate.options.assign(candidate.ends.size(), option);
            evaluate(chain, spans, space.accounting, candidate);
            frontier.add(std::move(candidate));
          }
        }
      }
    }
  }
  return frontier;
}

}  // namespace funcpipe
