// Finds the Pareto frontier of plans: cuts, function sizes, replicas, micro-batch size and synchronisation together,
// exactly. docs/algorithms.md, "Planning", says why nothing that is pruned could have been on the frontier.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "planner/chain.h"
#include "planner/frontier.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// What may be chosen.
struct SearchSpace {
  int global_batch = 0;       // samples
  std::vector<int> replicas;  // those that leave a replica without a micro-batch are skipped
  std::vector<SyncAlgorithm> syncs = searched_algorithms();
  std::vector<PipelineOrder> orders = {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward};
  Accounting accounting;
  int most_stages = 0;  // 0: as many as there are layers

  // Of the global batch, at the chain's micro-batch size.
  int micro_batches_of(const Chain& chain) const { return (global_batch + chain.micro_batch - 1) / chain.micro_batch; }
  Configuration configuration_of(const Chain& chain, int copies, SyncAlgorithm sync) const {
    return {.micro_batches = micro_batches_of(chain),
            .replicas = copies,
            .sync = sync,
            .last = last_share(global_batch, chain.micro_batch)};
  }
};

struct SearchStatistics {
  std::int64_t configurations = 0, skipped = 0;  // combinations of replicas, micro-batch and synchronisation
  std::int64_t bands = 0;                        // of paces, searched by themselves (planner/search.h)
  std::int64_t extended = 0, kept = 0;           // partial plans
};

// How far a search is. Configurations take very different times.
struct SearchProgress {
  int done = 0, all = 0;  // configurations
  double share = 0;       // of the one under way, roughly
  double slack = 0;       // what this round may leave out, as a share of time and dollars
};
using ProgressReport = std::function<void(const SearchProgress&)>;  // called often, by the thread that searches

// The frontier over all `chains` (one for each micro-batch size). Empty: nothing fits. A stop is heard within a
// fraction of a second; what has been found until then is returned.
// `slack`: plans may be left out that are at most this share faster and cheaper than one that is there.
Frontier optimize(const std::vector<Chain>& chains, const SearchSpace& space, SearchStatistics* statistics = nullptr,
                  const std::stop_token& stop = {}, const ProgressReport& report = {}, double slack = 0);

// What a search that ran out of time has proven.
struct Proof {
  // Of every plan there is one on the frontier that is at most this share slower and at most this share dearer; 0: the
  // frontier is exact; infinity: of some configurations nothing is proven.
  double gap = 0;
  int open = 0, all = 0;           // configurations that may still have something better to it; all there are
  std::vector<int> open_replicas;  // of the open ones, ascending
  bool exact() const { return open == 0; }
};

struct TimedSearch {
  Seconds limit = kInfinity;  // of wall time
  int coarse_layers = 30;     // longer chains are first searched with their layers merged to so many
};

// As optimize(), within a time: a coarse search first (optimize_merged), then the chains as they are, in rounds that
// leave out ever less, down to nothing. What is found until the time is over is returned, and `proof` says how good
// it is.
Frontier optimize_within(const std::vector<Chain>& chains, const SearchSpace& space, const TimedSearch& timed,
                         Proof& proof, SearchStatistics* statistics = nullptr, const std::stop_token& stop = {},
                         const ProgressReport& report = {});

// The frontier of `chains` with their layers merged to at most `layers` (planner/merge.h), as plans of the chains
// themselves, and what moving a cut or changing a size of one of them finds. Not exact, and soon done.
Frontier optimize_merged(const std::vector<Chain>& chains, int layers, const SearchSpace& space,
                         SearchStatistics* statistics = nullptr, const std::stop_token& stop = {},
                         const ProgressReport& report = {}, double slack = 0);

// The candidate's own figures, by the same arithmetic as the search.
void evaluate(const Chain& chain, const SpanTable& spans, const Accounting& accounting, Candidate& candidate);

}  // namespace funcpipe
