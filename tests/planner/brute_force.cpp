#include "planner/brute_force.h"

namespace funcpipe {
namespace {

struct Enumeration {
  const Chain& chain;
  const SpanTable& spans;
  const SearchSpace& space;
  const StageCosts& costs;
  Frontier& frontier;

  void from(int first, Candidate& candidate) {
    if (first == chain.layer_count()) {
      const auto stages = static_cast<int>(candidate.ends.size());
      if (stages * candidate.configuration.replicas > chain.limits.concurrency) return;
      evaluate(chain, spans, space.accounting, candidate);
      frontier.add(candidate);
      return;
    }
    for (int end = first + 1; end <= chain.layer_count(); ++end) {
      for (int option = 0; option < std::ssize(chain.options); ++option) {
        if (!costs.fits(first, end, option)) continue;
        candidate.ends.push_back(end);
        candidate.options.push_back(option);
        from(end, candidate);
        candidate.ends.pop_back();
        candidate.options.pop_back();
      }
    }
  }
};

}  // namespace

Frontier brute_force(const std::vector<Chain>& chains, const SearchSpace& space) {
  Frontier frontier;
  for (int c = 0; c < std::ssize(chains); ++c) {
    const SpanTable spans(chains[c]);
    const int micro_batches = space.micro_batches_of(chains[c]);
    for (const int replicas : space.replicas) {
      if (replicas > micro_batches) continue;
      for (const SyncAlgorithm sync : space.syncs) {
        Candidate candidate{.chain = c, .configuration = space.configuration_of(chains[c], replicas, sync)};
        const StageCosts costs(chains[c], spans, candidate.configuration, space.accounting);
        Enumeration{chains[c], spans, space, costs, frontier}.from(0, candidate);
        // And without a cut, one micro-batch after the other.
        candidate.configuration.order = PipelineOrder::one_forward_one_backward;
        const StageCosts in_turn(chains[c], spans, candidate.configuration, space.accounting);
        for (int option = 0; option < std::ssize(chains[c].options); ++option) {
          if (replicas > chains[c].limits.concurrency || !in_turn.fits(0, chains[c].layer_count(), option)) continue;
          candidate.ends = {chains[c].layer_count()};
          candidate.options = {option};
          evaluate(chains[c], spans, space.accounting, candidate);
          frontier.add(candidate);
        }
      }
    }
  }
  return frontier;
}

}  // namespace funcpipe
