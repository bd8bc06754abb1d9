// The choices of a plan besides cuts and function sizes, and the rules by which all plans are judged.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace funcpipe {

// Returns the samples of the last micro-batch of the global batch relative to those of the others: above 0, at most 1.
inline double last_share(int global_batch, int micro_batch) {
  return (1 + (global_batch - 1) % micro_batch) / static_cast<double>(micro_batch);
}

struct Configuration {
  int micro_batches = 1;  // Of the global batch, on all replicas together.
  int replicas = 1;
  SyncAlgorithm sync;
  PipelineOrder order = PipelineOrder::gpipe;  // 1f1b only for plans of one stage, where it takes the same time.
  double last = 1;                             // Samples of the last micro-batch relative to the others (last_share).

  // Returns the micro-batches of the replica with the largest share, for which all others wait.
  int most_micro_batches() const { return (micro_batches + replicas - 1) / replicas; }
  // Returns the same, but counts a smaller last micro-batch as a part of one. It belongs to the last replica, so it
  // only counts if that one alone has the largest share.
  double largest_share() const {
    const bool is_largest = replicas == 1 || micro_batches % replicas == 1;
    return most_micro_batches() - (is_largest ? 1 - last : 0);
  }
  // Returns the micro-batches of the global batch, with a smaller last one counted as a part of one.
  double all_micro_batches() const { return micro_batches - 1 + last; }
  // Returns of how many micro-batches a worker keeps activations at once.
  double most_in_flight() const { return order == PipelineOrder::gpipe ? largest_share() : 1; }
  bool operator==(const Configuration&) const = default;
};

enum class CostModel {
  bill,  // Everything that the cloud charges.
  paper  // Only memory times time of the functions, as in the objective of the FuncPipe paper.
};

struct Accounting {
  CostModel cost_model = CostModel::bill;
  std::int64_t iterations = 1000;  // Iterations of the job; the cost of start-up is spread over them.
  bool store_limits = true;        // false ignores the limits of the store (StoreLimits).
};

}  // namespace funcpipe
