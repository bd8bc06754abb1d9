#include "planner/infeasible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace funcpipe {
namespace {

constexpr int kNone = std::numeric_limits<int>::max();

// A layer that no function size holds, for some micro-batch size and number of replicas.
struct Lack {
  int layer = -1;
  double needed = 0, missing = 0;  // Bytes, on the largest size. missing = 0: it did not fit when it was profiled.
  int micro_batch = 0, replicas = 0;
};

std::size_t largest_option(const Chain& chain) {
  const auto smaller = [](const ChainOption& a, const ChainOption& b) { return a.memory_mb < b.memory_mb; };
  return static_cast<std::size_t>(std::max_element(chain.options.begin(), chain.options.end(), smaller) -
                                  chain.options.begin());
}

bool fits_somewhere(const Chain& chain, const StageCosts& costs, int first, int end) {
  for (int option = 0; option < std::ssize(chain.options); ++option)
    if (costs.fits(first, end, option)) return true;
  return false;
}

std::optional<Lack> worst_layer(const Chain& chain, const StageCosts& costs) {
  std::optional<Lack> worst;
  const auto largest = static_cast<int>(largest_option(chain));
  for (int i = 0; i < chain.layer_count(); ++i) {
    if (fits_somewhere(chain, costs, i, i + 1)) continue;
    Lack lack{.layer = i, .needed = costs.memory(i, i + 1)};
    if (chain.memory_limited)
      lack.missing = std::max(0.0, lack.needed - static_cast<double>(chain.options[largest].memory_mb) * kMiB);
    if (!worst || lack.missing > worst->missing) worst = lack;
  }
  return worst;
}

// Returns the least number of stages of a plan. Each layer fits alone.
int fewest_stages(const Chain& chain, const StageCosts& costs) {
  const int layers = chain.layer_count();
  std::vector<int> fewest(layers + 1, kNone);
  fewest[layers] = 0;
  for (int first = layers - 1; first >= 0; --first)
    for (int end = first + 1; end <= layers; ++end)
      if (fewest[end] < fewest[first] - 1 && fits_somewhere(chain, costs, first, end)) fewest[first] = fewest[end] + 1;
  return fewest[0];
}

std::string times(int count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Lists the platforms whose largest function holds `needed` bytes. Platforms without a memory limit do not count.
std::string platforms_that_hold(double needed, const Platform& own) {
  std::string names;
  for (const std::string& name : platform_names()) {
    const auto platform = load_platform(name);
    if (!platform || !platform->limit_memory || name == own.name || platform->sizes.empty()) continue;
    const int largest = platform->sizes.back().memory_mb;
    if (static_cast<double>(largest) * kMiB < needed) continue;
    names += fmt::format("{}{} ({} MB)", names.empty() ? "" : " or ", name, largest);
  }
  return names;
}

Error too_many_functions(const PlanningTask& task, int stages, int replicas) {
  return {
      ErrorCode::invalid_input,
      fmt::format("no plan has few enough functions: {} x {} are the fewest that hold {}, and {} runs at most {} at "
                  "once",
                  times(stages, "stage"), times(replicas, "replica"), task.profile.model.source, task.platform.name,
                  task.platform.limits.concurrency),
      {},
      "take fewer replicas or larger functions"};
}

Error layer_does_not_fit(const PlanningTask& task, const Chain& chain, const Lack& lack) {
  const int largest = chain.options[largest_option(chain)].memory_mb;
  const LayerDescription& layer = task.profile.model.layers[lack.layer];
  std::string message = fmt::format(
      "no plan fits {}: layer {} ({}) alone needs {} in micro-batches of {} with {}, ", task.platform.name, lack.layer,
      layer.name, format_bytes(static_cast<Bytes>(lack.needed)), lack.micro_batch, times(lack.replicas, "replica"));
  if (lack.missing > 0)
    message += fmt::format("{} more than the largest function profiled, {} MB, has",
                           format_bytes(static_cast<Bytes>(std::ceil(lack.missing))), largest);
  else
    message += fmt::format("and was too large for {} MB, the largest function profiled, when it was measured", largest);

  std::vector<std::string> ways;
  const double wanted = std::max(lack.needed, static_cast<double>(largest) * kMiB + 1);
  if (const FunctionSize* larger = task.platform.size(static_cast<int>(std::ceil(wanted / kMiB))))
    ways.push_back(fmt::format("profile it on {} MB too", larger->memory_mb));
  if (lack.micro_batch > 1) ways.push_back("allow smaller micro-batches");
  if (lack.replicas * lack.micro_batch < task.global_batch) ways.push_back("allow more replicas");
  const std::string holding = platforms_that_hold(wanted, task.platform);
  if (!holding.empty()) ways.push_back(fmt::format("{} would hold it", holding));
  if (ways.empty()) ways.emplace_back("no platform known would hold it: make the layer smaller");
  return {ErrorCode::invalid_input, std::move(message), {}, fmt::format("{}", fmt::join(ways, "; "))};
}

}  // namespace

Error explain_infeasible(const PlanningTask& task, const std::vector<Chain>& chains, const SearchSpace& space) {
  std::optional<Lack> least;
  const Chain* lacking = nullptr;
  int stages = kNone, replicas_of_stages = 1;
  for (const Chain& chain : chains) {
    const SpanTable spans(chain);
    const int micro_batches = space.micro_batches_of(chain);
    for (const int replicas : space.replicas) {
      if (replicas > micro_batches) continue;
      const StageCosts costs(chain, spans, space.configuration_of(chain, replicas, space.syncs.front()),
                             space.accounting);
      std::optional<Lack> lack = worst_layer(chain, costs);
      if (!lack) {
        const int fewest = fewest_stages(chain, costs);
        if (stages == kNone || fewest * replicas < stages * replicas_of_stages) {
          stages = fewest;
          replicas_of_stages = replicas;
        }
      } else if (!least || lack->missing < least->missing) {
        lack->micro_batch = chain.micro_batch;
        lack->replicas = replicas;
        least = lack;
        lacking = &chain;
      }
    }
  }
  if (stages != kNone) return too_many_functions(task, stages, replicas_of_stages);
  if (least) return layer_does_not_fit(task, *lacking, *least);
  return {ErrorCode::invalid_input, "no number of replicas leaves each of them a micro-batch", {}, {}};
}

}  // namespace funcpipe
