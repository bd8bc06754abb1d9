// Writes the pipeline part of a training iteration: forwards, backwards and the tensors that cross the cuts. In every
// pipeline order the backwards run in the order of the forwards, 0..mu-1 for mu micro-batches. A gradient is therefore
// summed over micro-batches in the order of a plain training loop and has the same bits. Tensors are received in the
// order in which they are needed, and sent while the next micro-batch computes.
#pragma once

#include <vector>

#include "schedule/builder.h"

namespace funcpipe {

struct PipelineStep {
  bool backward = false;
  int micro_batch = 0;  // Position in the replica's share, 0..mu-1.
  auto operator<=>(const PipelineStep&) const = default;
};

// Returns the forwards and backwards of `stage` in the order in which its compute lane executes them.
//   gpipe (Huang et al., NeurIPS 2019): every forward, then every backward; the activations of all are kept.
//   1f1b (PipeDream-Flush; Narayanan et al., ICML 2021): as many forwards as there are stages after it, then a forward
//   and a backward in turn; the activations of at most stages - stage micro-batches are kept. With one stage this is
//   plain gradient accumulation.
std::vector<PipelineStep> pipeline_steps(PipelineOrder order, int stage, int stages, int micro_batches);

struct PipelineOptions {
  WorkerId worker;
  int stages = 1;
  PipelineOrder order = PipelineOrder::gpipe;
  std::vector<MicroBatch> micro_batches;  // This replica's share, not empty.
  bool loads = true;                      // The stage reads data inputs or targets.
  std::int64_t gradient_elements = 0;     // Size of the stage's flat gradient.
};

struct PipelineOps {
  int last_backward = -1;
  // The computation before the last one. Other replicas end their backwards at most about one micro-batch earlier,
  // since shares differ by at most one, so nobody asks for their gradients before this operation is done.
  int nearly_done = -1;
};

// Appends the pipeline part and returns indices of its last operations.
PipelineOps append_pipeline(ProgramBuilder& builder, const PipelineOptions& options);

}  // namespace funcpipe
