#include "planner/rivals/data_parallel.h"

#include <algorithm>

namespace funcpipe {
namespace {

// Calls `use(chain, spans, candidate)` for each way to divide the batch among functions of one size that hold the whole
// model.
template <class Use>
void for_each_feasible(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch, const Use& use) {
  for (int c = 0; c < std::ssize(chains); ++c) {
    const Chain& chain = chains[c];
    const SpanTable spans(chain);
    const int layers = chain.layer_count();
    const int micro_batches = space.micro_batches_of(chain);
    for (const int replicas : space.replicas) {
      if (replicas < 1 || replicas > std::min(micro_batches, chain.limits.concurrency)) continue;
      if (batch == LocalBatch::whole && replicas != micro_batches) continue;
      const StageCosts one_at_a_time(chain, spans, {.micro_batches = replicas, .replicas = replicas}, space.accounting);
      for (int option = 0; option < std::ssize(chain.options); ++option) {
        if (!one_at_a_time.fits(0, layers, option)) continue;
        use(chain, spans,
            Candidate{.chain = c,
                      .configuration = space.configuration_of(chain, replicas, SyncAlgorithm::three_phase),
                      .ends = {layers},
                      .options = {option}});
      }
    }
  }
}

}  // namespace

Frontier lambda_ml(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch) {
  Frontier frontier;
  for_each_feasible(chains, space, batch, [&](const Chain& chain, const SpanTable& spans, Candidate candidate) {
    evaluate(chain, spans, space.accounting, candidate);
    frontier.add(std::move(candidate));
  });
  return frontier;
}

Frontier hybrid_ps(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch,
                   const ParameterServer& server) {
  Frontier frontier;
  for_each_feasible(chains, space, batch, [&](const Chain& chain, const SpanTable& spans, Candidate candidate) {
    const int layers = chain.layer_count(), option_index = candidate.options.front();
    const ChainOption& option = chain.options[option_index];
    const double replicas = candidate.configuration.replicas;
    const double micro_batches = candidate.configuration.largest_share();
    // The cost of one function that does not synchronise; all functions are alike.
    const StageCosts alone(chain, spans, {.micro_batches = candidate.configuration.most_micro_batches()},
                           space.accounting);
    const StageCost cost = alone.of(0, layers, option_index);
    const double bytes = spans.at(0, layers).trainable;
    const Seconds through_server = replicas * bytes / server.bandwidth;
    const Seconds up = std::max(bytes / mean_rate(chain.burst, option.uplink, bytes), through_server);
    const Seconds down = std::max(bytes / mean_rate(chain.burst, option.downlink, bytes), through_server);
    const Seconds sustained = bytes / std::min(option.uplink, option.downlink);
    candidate.period = std::max(
        micro_batches * (cost.forward + cost.backward) + up + down + 2 * bytes * option.transfer_per_byte, sustained);
    candidate.dollars = candidate.period * (replicas * cost.rate + server.per_second) + replicas * cost.fixed;
    frontier.add(std::move(candidate));
  });
  return frontier;
}

}  // namespace funcpipe
