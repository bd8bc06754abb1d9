#include "comparison/systems.h"

#include <algorithm>

#include "planner/merge.h"
#include "planner/rivals/bayesian.h"
#include "planner/rivals/data_parallel.h"
#include "planner/rivals/tpdmp.h"

namespace funcpipe {
namespace {

constexpr int kPaperMicroBatch = 4;
constexpr int kMostMicroBatch = 32;  // Of pipelines; profiles were measured at 1 and 4.
constexpr int kTpdmpStages = 16;     // More stages make no faster plan in any cell.

Result<std::vector<Chain>> chains_at(const Ground& ground, int batch, const std::vector<int>& micro_batches,
                                     int layers) {
  const PlanningTask task = ground.task(batch);
  std::vector<Chain> chains;
  for (const int micro_batch : micro_batches) {
    FUNCPIPE_TRY(chain, make_chain(ground.profile, ground.platform, micro_batch, task.state, task.connections));
    chains.push_back(layers > 0 ? merge_layers(chain, layers).chain : std::move(chain));
  }
  return chains;
}

std::vector<int> powers_of_two(int most) {
  std::vector<int> powers;
  for (int power = 1; power <= most; power *= 2) powers.push_back(power);
  return powers;
}

// Returns the shares ceil(batch / n) of the batch for every number n of functions.
std::vector<int> local_batches(int batch) {
  std::vector<int> shares;
  for (int n = 1; n <= batch; ++n) shares.push_back((batch + n - 1) / n);
  std::ranges::sort(shares);
  shares.erase(std::unique(shares.begin(), shares.end()), shares.end());
  return shares;
}

// Turns candidates of chains merged to `layers` (0: not merged) into plans of the model.
Result<std::vector<Proposal>> proposals_of(const Ground& ground, int batch, const std::vector<int>& micro_batches,
                                           int layers, const std::vector<Candidate>& candidates) {
  FUNCPIPE_TRY(chains, chains_at(ground, batch, micro_batches, 0));
  std::vector<Proposal> found;
  for (Candidate candidate : candidates) {
    const Chain& chain = chains[static_cast<std::size_t>(candidate.chain)];
    if (layers > 0) {
      const std::vector<int> ends = merge_layers(chain, layers).ends;
      for (int& end : candidate.ends) end = ends[static_cast<std::size_t>(end) - 1];
    }
    Proposal& proposal = found.emplace_back();
    proposal.plan = plan_of(candidate, chain, ground.profile.model, batch);
    proposal.seconds = candidate.period;
    proposal.dollars = candidate.dollars;
  }
  return found;
}

Frontier frontier_of(std::vector<Candidate> candidates) {
  Frontier frontier;
  for (Candidate& candidate : candidates) frontier.add(std::move(candidate));
  return frontier;
}

// Returns the frontier of plans whose stages all have the same function size: searches each size alone and joins the
// results.
Frontier uniform(const std::vector<Chain>& chains, const SearchSpace& space, std::stop_token stop) {
  std::vector<Candidate> found;
  for (std::size_t option = 0; option < chains.front().options.size(); ++option) {
    std::vector<Chain> alone = chains;
    for (Chain& chain : alone) {
      chain.options = {chain.options[option]};
      chain.forward = {chain.forward[option]};
      chain.backward = {chain.backward[option]};
      chain.warm_up = {chain.warm_up[option]};
    }
    const Frontier frontier = optimize(alone, space, nullptr, stop);
    for (Candidate candidate : frontier.points()) {
      candidate.options.assign(candidate.options.size(), static_cast<int>(option));
      found.push_back(std::move(candidate));
    }
  }
  return frontier_of(std::move(found));
}

Result<std::vector<Proposal>> data_parallel(System system, const Ground& ground, int batch) {
  const bool whole = system == System::lambda_ml || system == System::hybrid_ps;
  const LocalBatch kind = whole ? LocalBatch::whole : LocalBatch::accumulated;
  const std::vector<int> micro_batches = whole ? local_batches(batch) : powers_of_two(batch);
  FUNCPIPE_TRY(chains, chains_at(ground, batch, micro_batches, 1));
  SearchSpace space{.global_batch = batch, .accounting = ground.task(batch).accounting};
  for (int n = 1; n <= std::min(batch, ground.platform.limits.concurrency); ++n) space.replicas.push_back(n);
  const bool through_store = system == System::lambda_ml || system == System::lambda_ml_ga;
  const Frontier frontier =
      through_store ? lambda_ml(chains, space, kind) : hybrid_ps(chains, space, kind, ground.server);
  FUNCPIPE_TRY(found, proposals_of(ground, batch, micro_batches, 1, frontier.points()));
  // In this order a function keeps the activations of one micro-batch.
  for (Proposal& proposal : found) {
    proposal.plan.order = PipelineOrder::one_forward_one_backward;
    if (through_store) continue;
    proposal.plan.sync = SyncAlgorithm::parameter_server;
    proposal.plan.server = ground.server_name;
  }
  return found;
}

Frontier bayes(const Ground& ground, const std::vector<Chain>& chains, const SearchSpace& space) {
  // Searches for time and for cost alone give the weights with which both count alike in a third search.
  const auto search = [&](double cost_weight, double time_weight) {
    return bayesian(chains, space, {.seed = ground.seed, .cost_weight = cost_weight, .time_weight = time_weight});
  };
  const Frontier fast = search(0, 1), cheap = search(1, 0);
  std::vector<Candidate> found = fast.points();
  found.insert(found.end(), cheap.points().begin(), cheap.points().end());
  if (!fast.points().empty() && !cheap.points().empty()) {
    const Seconds seconds = fast.points().front().period;
    const Dollars dollars = cheap.points().back().dollars;
    const Frontier both = search(0.5 / dollars, 0.5 / seconds);
    found.insert(found.end(), both.points().begin(), both.points().end());
  }
  return frontier_of(std::move(found));
}

}  // namespace

std::string_view name_of(System system) {
  switch (system) {
    case System::lambda_ml:
      return "LambdaML";
    case System::lambda_ml_ga:
      return "LambdaML-GA";
    case System::hybrid_ps:
      return "HybridPS";
    case System::hybrid_ps_ga:
      return "HybridPS-GA";
    case System::tpdmp:
      return "TPDMP plan";
    case System::bayes:
      return "Bayes plan";
    case System::published:
      return "FuncPipe as published";
    case System::ours:
      return "ours";
  }
  return "";
}

bool is_framework(System system) {
  return system <= System::hybrid_ps_ga;
}

std::vector<int> replica_choices(const Ground& ground, int batch) {
  std::vector<int> choices;
  const int most = std::min(batch, ground.platform.limits.concurrency);
  for (int n = 1; n <= std::min(most, 32); ++n) choices.push_back(n);
  for (const int n : {40, 48, 64, 96, 128, 192, 256})
    if (n <= most) choices.push_back(n);
  return choices;
}

Result<std::vector<Proposal>> planned(const Ground& ground, int batch, const PlannerSteps& steps,
                                      std::stop_token stop) {
  const std::vector<int> micro_batches = steps.free_micro_batch ? powers_of_two(std::min(batch, kMostMicroBatch))
                                                                : std::vector<int>{std::min(batch, kPaperMicroBatch)};
  SearchSpace space{.global_batch = batch, .replicas = replica_choices(ground, batch)};
  space.accounting = {.cost_model = steps.real_bill ? CostModel::bill : CostModel::paper,
                      .iterations = ground.iterations};
  space.syncs = {SyncAlgorithm::pipelined};
  if (steps.free_sync) space.syncs.push_back(SyncAlgorithm::three_phase);
  space.orders = {PipelineOrder::gpipe};
  if (steps.accumulation) space.orders.push_back(PipelineOrder::one_forward_one_backward);
  const int layers = steps.moved_cuts || ground.profile.layer_count() <= steps.layers ? 0 : steps.layers;
  FUNCPIPE_TRY(chains, chains_at(ground, batch, micro_batches, layers));
  const Frontier frontier = steps.uniform_sizes ? uniform(chains, space, stop)
                            : steps.moved_cuts  ? optimize_merged(chains, steps.layers, space, nullptr, stop)
                                                : optimize(chains, space, nullptr, stop);
  return proposals_of(ground, batch, micro_batches, layers, frontier.points());
}

Result<std::vector<Proposal>> proposals(System system, const Ground& ground, int batch, std::stop_token stop) {
  if (is_framework(system)) return data_parallel(system, ground, batch);
  if (system == System::published) return planned(ground, batch, kPublishedSteps, std::move(stop));
  if (system == System::ours) return planned(ground, batch, kOurSteps, std::move(stop));
  const std::vector<int> micro_batches = powers_of_two(std::min(batch, kMostMicroBatch));
  FUNCPIPE_TRY(chains, chains_at(ground, batch, micro_batches, kMergedLayers));
  SearchSpace space{.global_batch = batch, .replicas = replica_choices(ground, batch)};
  space.accounting = ground.task(batch).accounting;
  if (system == System::tpdmp) space.most_stages = kTpdmpStages;
  const Frontier frontier = system == System::tpdmp ? tpdmp(chains, space) : bayes(ground, chains, space);
  return proposals_of(ground, batch, micro_batches, kMergedLayers, frontier.points());
}

}  // namespace funcpipe
