// Finds the exact Pareto frontier of plans, with cuts, function sizes, replicas, micro-batch size and synchronisation
// chosen together. docs/algorithms.md, "Planning", shows that no plan of the frontier is pruned.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "planner/chain.h"
#include "planner/frontier.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// What the search may choose from.
struct SearchSpace {
  int global_batch = 0;       // Samples.
  std::vector<int> replicas;  // Numbers that would leave a replica without a micro-batch are skipped.
  std::vector<SyncAlgorithm> syncs = searched_algorithms();
  std::vector<PipelineOrder> orders = {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward};
  Accounting accounting;
  int most_stages = 0;  // 0 means as many as there are layers.

  // Returns the number of micro-batches of the global batch at the chain's micro-batch size.
  int micro_batches_of(const Chain& chain) const { return (global_batch + chain.micro_batch - 1) / chain.micro_batch; }
  Configuration configuration_of(const Chain& chain, int copies, SyncAlgorithm sync) const {
    return {.micro_batches = micro_batches_of(chain),
            .replicas = copies,
            .sync = sync,
            .last = last_share(global_batch, chain.micro_batch)};
  }
};

struct SearchStatistics {
  std::int64_t configurations = 0, skipped = 0;  // Combinations of replicas, micro-batch size and synchronisation.
  std::int64_t bands = 0;                        // Ranges of paces that were searched separately (search.cpp).
  std::int64_t extended = 0, kept = 0;           // Partial plans that were made, and those of them kept.
};

// How far a search is. Configurations take very different times.
struct SearchProgress {
  int done = 0, all = 0;  // Configurations.
  double share = 0;       // Rough share of the current configuration that is done.
  double slack = 0;       // Plans that are better by at most this share may be left out in this round.
};
// Called often, by the thread that searches.
using ProgressReport = std::function<void(const SearchProgress&)>;

// Returns the frontier over all `chains`, one for each micro-batch size; it is empty if no plan fits. On a stop it
// returns within a fraction of a second what it has found. With `slack` > 0 it may leave out a plan if some plan on the
// frontier is at most that share slower and at most that share dearer.
Frontier optimize(const std::vector<Chain>& chains, const SearchSpace& space, SearchStatistics* statistics = nullptr,
                  const std::stop_token& stop = {}, const ProgressReport& report = {}, double slack = 0);

// What a search that ran out of time has proven.
struct Proof {
  // For every plan there is one on the frontier that is at most this share slower and at most this share dearer. 0
  // means that the frontier is exact, infinity that nothing is proven for some configurations.
  double gap = 0;
  int open = 0, all = 0;           // Configurations that may have better plans, and all configurations.
  std::vector<int> open_replicas;  // Numbers of replicas of the open configurations, ascending.
  bool exact() const { return open == 0; }
};

struct TimedSearch {
  Seconds limit = kInfinity;  // Wall time.
  int coarse_layers = 30;     // Most layers of the merged chains that are searched first.
};

// Does the same as optimize() within a time limit: first a coarse search (optimize_merged), then the chains as they
// are, in rounds with ever smaller slack down to 0. Returns what it has found when the time is over; `proof` says how
// good that is.
Frontier optimize_within(const std::vector<Chain>& chains, const SearchSpace& space, const TimedSearch& timed,
                         Proof& proof, SearchStatistics* statistics = nullptr, const std::stop_token& stop = {},
                         const ProgressReport& report = {});

// Searches `chains` with their layers merged to at most `layers` (planner/merge.h). Turns the plans found into plans of
// the original chains and improves them by moving single cuts and changing single sizes. Fast, but not exact.
Frontier optimize_merged(const std::vector<Chain>& chains, int layers, const SearchSpace& space,
                         SearchStatistics* statistics = nullptr, const std::stop_token& stop = {},
                         const ProgressReport& report = {}, double slack = 0);

// Sets the candidate's period and dollars by the same arithmetic as the search.
void evaluate(const Chain& chain, const SpanTable& spans, const Accounting& accounting, Candidate& candidate);

}  // namespace funcpipe
