#include <algorithm>

#include "planner/prediction.h"

namespace funcpipe {
namespace {

// A lane of one stage, and its seconds per micro-batch.
struct Pace {
  Seconds seconds = 0;
  std::string lane;
  void offer(Seconds other, std::size_t stage, const char* what) {
    if (other > seconds) *this = {other, fmt::format("stage {}'s {}", stage, what)};
  }
};

struct Slowest {
  Pace forward, backward;
};

// Returns the slowest lanes of stage k and the stages after it, at which the micro-batches queue.
Slowest slowest_from(const std::vector<StagePrediction>& stages, std::size_t k) {
  Slowest slowest;
  for (std::size_t i = k; i < stages.size(); ++i) {
    const StageCost& cost = stages[i].cost;
    slowest.forward.offer(cost.forward, i, "computing");
    slowest.forward.offer(cost.forward_after, i, "uplink");
    slowest.backward.offer(cost.backward, i, "computing");
    slowest.backward.offer(cost.backward_after, i, "downlink");
    if (i == k) continue;
    slowest.forward.offer(cost.forward_before, i, "downlink");
    slowest.backward.offer(cost.backward_before, i, "uplink");
  }
  return slowest;
}

}  // namespace

std::vector<std::string> explain(const Prediction& prediction, const Chain& chain, const Candidate& candidate) {
  const std::vector<StagePrediction>& stages = prediction.stages;
  const double more = candidate.configuration.largest_share() - 1;
  std::vector<std::string> lines;

  // Finds the stage whose round, from one update to the next, takes longest.
  std::size_t slowest_round = 0;
  Seconds longest = -1, longest_once = 0, sum = 0;
  for (std::size_t k = stages.size(); k-- > 0;) {
    const StageCost& cost = stages[k].cost;
    const Slowest slowest = slowest_from(stages, k);
    const Seconds once = sum + cost.after + cost.forward + cost.backward;
    const Seconds round = once + more * (slowest.forward.seconds + slowest.backward.seconds) + cost.tail;
    if (round > longest) {
      longest = round;
      longest_once = once;
      slowest_round = k;
    }
    sum = once + cost.before;
  }
  const StagePrediction& stage = stages[slowest_round];
  if (stage.cost.network > longest) {
    lines.push_back(
        fmt::format("stage {}'s network is the bottleneck: an iteration moves more than its sustained "
                    "bandwidth carries in less than {}",
                    slowest_round, format_seconds(stage.cost.network)));
  } else {
    const Slowest slowest = slowest_from(stages, slowest_round);
    std::string line = fmt::format("an iteration takes {}: {} for one micro-batch from stage {} to the last and back",
                                   format_seconds(prediction.iteration), format_seconds(longest_once), slowest_round);
    if (more > 0) {
      line += fmt::format(", {} for the {:.3g} that follow it at the pace of ",
                          format_seconds(more * (slowest.forward.seconds + slowest.backward.seconds)), more);
      line += slowest.forward.lane == slowest.backward.lane
                  ? slowest.forward.lane
                  : fmt::format("{} (forward) and {} (backward)", slowest.forward.lane, slowest.backward.lane);
    }
    line += fmt::format(", {} for stage {}'s {}", format_seconds(stage.cost.tail), slowest_round,
                        candidate.configuration.replicas > 1 ? "synchronisation and update" : "update");
    lines.push_back(std::move(line));
  }

  for (std::size_t k = 0; k < stages.size() && chain.memory_limited; ++k) {
    const double share = static_cast<double>(stages[k].memory) / static_cast<double>(stages[k].given);
    if (share >= 0.9)
      lines.push_back(fmt::format("memory of stage {} is full to {:.0f}% of {}", k, 100 * share,
                                  in_words(chain.options[candidate.options[k]].choice())));
  }
  return lines;
}

}  // namespace funcpipe
