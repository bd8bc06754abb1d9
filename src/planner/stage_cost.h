// What one stage adds to an iteration's time and to its bill: the planner's time, memory and cost models. Derivations:
// docs/algorithms.md, "Predicting an iteration".
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "planner/chain.h"
#include "planner/configuration.h"
#include "planner/spans.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// What an iteration asks of the store's limits: seconds that each of them needs for it, of all workers together. An
// iteration takes no less than the longest.
struct StoreUse {
  std::array<Seconds, 5> seconds{};  // bytes up, bytes down, PUTs, GETs, PUTs and GETs

  StoreUse& operator+=(const StoreUse& other) {
    for (std::size_t i = 0; i < seconds.size(); ++i) seconds[i] += other.seconds[i];
    return *this;
  }
  friend StoreUse operator+(StoreUse a, const StoreUse& b) { return a += b; }
  Seconds longest() const {
    Seconds most = 0;
    for (const Seconds one : seconds) most = std::max(most, one);
    return most;
  }
};
StoreUse least_of(const StoreUse& a, const StoreUse& b);  // each figure by itself
StoreUse most_of(const StoreUse& a, const StoreUse& b);

// Of one stage, all replicas alike. A lane task has a passage (what one micro-batch takes to get through) and a pace
// (what the lane takes per micro-batch when they follow one another: requests in flight side by side hide latency).
struct StageCost {
  Seconds forward = 0, backward = 0;                // compute lane: passage and pace
  Seconds before = 0, after = 0;                    // passages over the borders before and after, this side's lanes
  Seconds forward_before = 0, forward_after = 0;    // paces: download of activations, upload of activations
  Seconds backward_before = 0, backward_after = 0;  // upload of gradients, download of gradients
  Seconds tail = 0;                                 // after its last backward: synchronisation and update
  Seconds network = 0;  // what the busier direction needs of an iteration at the sustained rate
  StoreUse store;       // of all replicas together
  double rate = 0;      // dollars a second, all replicas
  Dollars fixed = 0;    // dollars an iteration, all replicas
};

// What one stage moves and asks for.
struct StageTraffic {
  double up_bytes = 0, down_bytes = 0;          // of an iteration, the replica with the largest share
  double all_up_bytes = 0, all_down_bytes = 0;  // of an iteration, all replicas
  double state_up = 0, state_down = 0;          // of these the shared state: replica 0's, and that of each other one
  double puts = 0, gets = 0;                    // likewise, early GETs included, reports not
  double reports = 0;                           // PUTs, likewise
  BytesPerSecond uplink = 0, downlink = 0;      // what transfers get, the mean of an iteration
  Seconds start = 0;                            // of a new function, to its first forward
  Seconds finish = 0;                           // of replica 0, after the last update: the trained stage is stored
  Seconds restart = 0;                          // of a function whose lifetime ends: snapshot, new function, load
};

// The stages from some layer to the last, as they run in steady state.
struct Suffix {
  Seconds sum = 0;                              // all passages
  Seconds forward_pace = 0, backward_pace = 0;  // slowest lane task of each direction
  Seconds period = 0;                           // iteration time if these were all stages
  double rate = 0;
  Dollars fixed = 0;
  StoreUse store;
  int stages = 0;

  Dollars dollars() const { return period * rate + fixed; }  // of one iteration
};

// `stage` put before `suffix`; `more`: micro-batches beyond the first.
inline Suffix extend(const Suffix& suffix, const StageCost& stage, double more) {
  Suffix longer;
  const Seconds sum = suffix.sum + stage.after + stage.forward + stage.backward;
  const Seconds forward = std::max({suffix.forward_pace, stage.forward, stage.forward_after});
  const Seconds backward = std::max({suffix.backward_pace, stage.backward, stage.backward_after});
  longer.store = suffix.store + stage.store;
  longer.period =
      std::max({suffix.period, sum + more * (forward + backward) + stage.tail, stage.network, longer.store.longest()});
  longer.sum = sum + stage.before;
  longer.forward_pace = std::max(forward, stage.forward_before);
  longer.backward_pace = std::max(backward, stage.backward_before);
  longer.rate = suffix.rate + stage.rate;
  longer.fixed = suffix.fixed + stage.fixed;
  longer.stages = suffix.stages + 1;
  return longer;
}

class StageCosts {
 public:
  // Keeps references.
  StageCosts(const Chain& chain, const SpanTable& spans, const Configuration& configuration,
             const Accounting& accounting);

  bool fits(int first, int end, int option) const;
  StageCost of(int first, int end, int option) const;
  StageTraffic traffic(int first, int end, int option) const;

  double memory(int first, int end) const;  // bytes at the worker's peak
  // Micro-batches beyond the first, of the largest share; a smaller last one counts as the part of one that it is.
  double more() const { return micro_batches_ - 1; }

 private:
  Seconds synchronisation(double bytes, BytesPerSecond uplink, BytesPerSecond downlink) const;

  const Chain& chain_;
  const SpanTable& spans_;
  Configuration configuration_;
  const SyncTraits& sync_;  // the configuration's
  Accounting accounting_;
  double micro_batches_;  // of the replica with the largest share, a smaller last one as a part of one
};

}  // namespace funcpipe
