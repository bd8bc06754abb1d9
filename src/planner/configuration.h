// What a plan decides besides cuts and function sizes, and what all candidates are judged by.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace funcpipe {

struct Configuration {
  int micro_batches = 1;  // of the global batch, over all replicas
  int replicas = 1;
  SyncAlgorithm sync = SyncAlgorithm::pipelined;
  PipelineOrder order = PipelineOrder::gpipe;  // 1f1b for plans of one stage only, where it takes as long
  // Of the replica with the largest share; all wait for it.
  int most_micro_batches() const { return (micro_batches + replicas - 1) / replicas; }
  // Whose activations a worker keeps at once.
  int most_in_flight() const { return order == PipelineOrder::gpipe ? most_micro_batches() : 1; }
  bool operator==(const Configuration&) const = default;
};

enum class CostModel {
  bill,  // everything the cloud asks for
  paper  // memory x time of the functions alone (FuncPipe's objective)
};

struct Accounting {
  CostModel cost_model = CostModel::bill;
  std::int64_t iterations = 1000;  // start-up is spread over them
};

}  // namespace funcpipe
