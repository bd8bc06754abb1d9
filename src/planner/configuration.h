// What a plan decides besides cuts and function sizes, and what all candidates are judged by.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace funcpipe {

// Samples of the last micro-batch of `global_batch`, relative to the others'.
inline double last_share(int global_batch, int micro_batch) {
  return (1 + (global_batch - 1) % micro_batch) / static_cast<double>(micro_batch);
}

struct Configuration {
  int micro_batches = 1;  // of the global batch, over all replicas
  int replicas = 1;
  SyncAlgorithm sync;
  PipelineOrder order = PipelineOrder::gpipe;  // 1f1b for plans of one stage only, where it takes as long
  double last = 1;  // samples of the last micro-batch, which may be a smaller one, relative to the others'

  // Of the replica with the largest share; all wait for it.
  int most_micro_batches() const { return (micro_batches + replicas - 1) / replicas; }
  // The same with a smaller last micro-batch counted as the part of one that it is. The last replica plays it, and has
  // more micro-batches than every other one only where a single one is left over.
  double largest_share() const {
    const bool is_largest = replicas == 1 || micro_batches % replicas == 1;
    return most_micro_batches() - (is_largest ? 1 - last : 0);
  }
  // Of the global batch, likewise.
  double all_micro_batches() const { return micro_batches - 1 + last; }
  // Whose activations a worker keeps at once.
  double most_in_flight() const { return order == PipelineOrder::gpipe ? largest_share() : 1; }
  bool operator==(const Configuration&) const = default;
};

enum class CostModel {
  bill,  // everything the cloud asks for
  paper  // memory x time of the functions alone (FuncPipe's objective)
};

struct Accounting {
  CostModel cost_model = CostModel::bill;
  std::int64_t iterations = 1000;  // start-up is spread over them
  bool store_limits = true;        // iterations are no faster than the store's limits allow; false: as if it had none
};

}  // namespace funcpipe
