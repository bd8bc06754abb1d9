#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/counted.h"
#include "plan/plan.h"

namespace funcpipe {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> byte_costs(const ModelDescription& model) {
  std::vector<double> costs;
  for (const LayerDescription& layer : model.layers) {
    double bytes = static_cast<double>(layer.activation_bytes);
    const std::set<int> parameters(layer.parameters.begin(), layer.parameters.end());
    for (const int index : parameters) bytes += static_cast<double>(model.parameters[index].bytes());
    costs.push_back(bytes);
  }
  return costs;
}

// Returns the first layer of each of `stages` contiguous, non-empty stages. The largest stage cost is as small as
// possible; among such partitions the sum of squared stage costs is least, so the other stages are even too. Takes
// O(stages * layers^2) time.
std::vector<int> partition(const std::vector<double>& costs, int stages) {
  const int layers = static_cast<int>(costs.size());
  std::vector<double> before(layers + 1, 0);
  for (int i = 0; i < layers; ++i) before[i + 1] = before[i] + costs[i];

  // best[k][end] is the least possible largest cost of layers [0, end) in k stages.
  std::vector<std::vector<double>> best(stages + 1, std::vector<double>(layers + 1, kInfinity));
  best[0][0] = 0;
  for (int k = 1; k <= stages; ++k) {
    for (int end = k; end <= layers; ++end) {
      for (int cut = k - 1; cut < end; ++cut) {
        best[k][end] = std::min(best[k][end], std::max(best[k - 1][cut], before[end] - before[cut]));
      }
    }
  }
  const double largest = best[stages][layers];

  std::vector<std::vector<double>> squares(stages + 1, std::vector<double>(layers + 1, kInfinity));
  std::vector<std::vector<int>> chosen(stages + 1, std::vector<int>(layers + 1, -1));
  squares[0][0] = 0;
  for (int k = 1; k <= stages; ++k) {
    for (int end = k; end <= layers; ++end) {
      for (int cut = k - 1; cut < end; ++cut) {
        const double cost = before[end] - before[cut];
        if (cost > largest || squares[k - 1][cut] == kInfinity) continue;
        const double sum = squares[k - 1][cut] + cost * cost;
        if (chosen[k][end] < 0 || sum < squares[k][end]) {
          squares[k][end] = sum;
          chosen[k][end] = cut;
        }
      }
    }
  }
  std::vector<int> firsts(stages);
  for (int k = stages, end = layers; k >= 1; --k) {
    end = chosen[k][end];
    firsts[k - 1] = end;
  }
  return firsts;
}

// Returns "; `decoder` is one layer because ..." for up to three layers that could not be cut.
std::string why_whole(const ModelDescription& model) {
  constexpr int kMost = 3;
  std::string text;
  int named = 0;
  for (const LayerDescription& layer : model.layers)
    if (!layer.whole_because.empty() && named++ < kMost)
      text += fmt::format("; `{}` is one layer because {}", layer.name, layer.whole_because);
  return text;
}

}  // namespace

Result<Plan> even_plan(const ModelDescription& model, int stages, int replicas, int global_batch, int micro_batch,
                       const std::vector<double>& costs) {
  const int layers = static_cast<int>(model.layers.size());
  if (stages < 1 || replicas < 1 || global_batch < 1 || micro_batch < 1) {
    return fail(ErrorCode::invalid_input,
                fmt::format("stages, replicas, global batch and micro-batch must be at least 1, found {}, {}, {}, {}",
                            stages, replicas, global_batch, micro_batch));
  }
  if (stages > layers) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}, but {} has only {} to cut between{}", counted(stages, "stage"), model.source,
                            counted(layers, "layer"), why_whole(model)),
                {}, fmt::format("choose at most {}", counted(layers, "stage")));
  }
  if (!costs.empty() && static_cast<int>(costs.size()) != layers) {
    return fail(ErrorCode::invalid_input, fmt::format("{} layer costs for {} layers", costs.size(), layers));
  }
  const std::vector<double> balanced = costs.empty() ? byte_costs(model) : costs;
  if (std::any_of(balanced.begin(), balanced.end(), [](double cost) { return !(cost >= 0 && cost < kInfinity); })) {
    return fail(ErrorCode::invalid_input, "a layer's cost is negative or not a finite number");
  }
  Plan plan;
  plan.model = model.source;
  plan.fingerprint = model.fingerprint;
  plan.replicas = replicas;
  plan.global_batch = global_batch;
  plan.micro_batch = std::min(micro_batch, global_batch);
  const std::vector<int> firsts = partition(balanced, stages);
  for (int k = 0; k < stages; ++k) {
    plan.stages.push_back({.first_layer = firsts[k], .end_layer = k + 1 < stages ? firsts[k + 1] : layers});
  }
  return plan;
}

}  // namespace funcpipe
