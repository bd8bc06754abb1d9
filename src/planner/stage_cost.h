// The planner's models of time, memory and cost: what one stage adds to an iteration's time and to the bill.
// Derivations: docs/algorithms.md, "Predicting an iteration".
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "planner/chain.h"
#include "planner/configuration.h"
#include "planner/spans.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// How much of the store's limits an iteration of all workers uses: for each limit the seconds in which the store can
// serve the iteration. An iteration takes at least the longest of them.
struct StoreUse {
  std::array<Seconds, 5> seconds{};  // For bytes up, bytes down, PUTs, GETs, and PUTs and GETs together.

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
// Return the smaller, or the larger, of each figure.
StoreUse least_of(const StoreUse& a, const StoreUse& b);
StoreUse most_of(const StoreUse& a, const StoreUse& b);

// The cost of one stage; its replicas are alike. A lane task has a passage, the time that one micro-batch takes in it,
// and a pace, the time per micro-batch when many follow one another. A pace may be less than the passage, because
// several requests in flight hide latency.
struct StageCost {
  Seconds forward = 0, backward = 0;                // Compute lane: passage and pace, which are equal.
  Seconds before = 0, after = 0;                    // Passages of this stage's transfers at the cut before and after.
  Seconds forward_before = 0, forward_after = 0;    // Paces of downloading and of uploading activations.
  Seconds backward_before = 0, backward_after = 0;  // Paces of uploading and of downloading gradients.
  Seconds tail = 0;                                 // Synchronisation and update, after its last backward.
  Seconds network = 0;  // Time of an iteration's bytes at the sustained rate, in the busier direction.
  StoreUse store;       // Of all replicas together.
  double rate = 0;      // Dollars a second of all replicas.
  Dollars fixed = 0;    // Dollars an iteration of all replicas.
};

// The transfers of one stage.
struct StageTraffic {
  double up_bytes = 0, down_bytes = 0;          // In an iteration, on the replica with the largest share.
  double all_up_bytes = 0, all_down_bytes = 0;  // In an iteration, on all replicas.
  double state_up = 0, state_down = 0;          // Shared state: uploaded by replica 0, downloaded by each other one.
  double puts = 0, gets = 0;                    // In an iteration, on all replicas; with early GETs, without reports.
  double reports = 0;                           // PUTs of reports in an iteration, on all replicas.
  BytesPerSecond uplink = 0, downlink = 0;      // Mean rates of an iteration's transfers, with the burst.
  Seconds start = 0;                            // From a new function's invocation to its first forward.
  Seconds finish = 0;                           // Storing the trained stage, by replica 0 after the last update.
  Seconds restart = 0;                          // Replacing a function: snapshot, new function, load.
};

// The stages from some layer to the last, in steady state.
struct Suffix {
  Seconds sum = 0;                              // Sum of all passages.
  Seconds forward_pace = 0, backward_pace = 0;  // Slowest lane task of each direction.
  Seconds period = 0;                           // Time of an iteration if these were all stages.
  double rate = 0;                              // Dollars a second.
  Dollars fixed = 0;                            // Dollars an iteration.
  StoreUse store;
  int stages = 0;

  Dollars dollars() const { return period * rate + fixed; }  // Of one iteration.
};

// Returns the suffix with `stage` put before it. `more` is the number of micro-batches beyond the first.
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
  // Keeps references to the chain and the spans.
  StageCosts(const Chain& chain, const SpanTable& spans, const Configuration& configuration,
             const Accounting& accounting);

  bool fits(int first, int end, int option) const;
  StageCost of(int first, int end, int option) const;
  StageTraffic traffic(int first, int end, int option) const;

  double memory(int first, int end) const;  // Returns the peak of a worker in bytes.
  // Returns the micro-batches beyond the first in the largest share. A smaller last one counts as a part of one.
  double more() const { return micro_batches_ - 1; }

 private:
  Seconds synchronisation(double bytes, BytesPerSecond uplink, BytesPerSecond downlink) const;

  const Chain& chain_;
  const SpanTable& spans_;
  Configuration configuration_;
  const SyncTraits& sync_;
  Accounting accounting_;
  double micro_batches_;  // Configuration::largest_share().
};

}  // namespace funcpipe
