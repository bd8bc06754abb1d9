// The pipeline part of a training iteration: forwards, backwards and the tensors that cross the cuts. Which comes when
// is the pipeline order; in all of them backwards run in the order of the forwards, 0..mu-1, so a gradient is the sum
// over micro-batches in the order a plain loop would add them: same bits. Receives are issued in the order they are
// needed and ahead of need; sends leave while the next micro-batch computes.
#pragma once

#include <vector>

#include "schedule/builder.h"

namespace funcpipe {

struct PipelineStep {
  bool backward = false;
  int micro_batch = 0;  // position in the replica's share
  auto operator<=>(const PipelineStep&) const = default;
};

// What the compute lane of `stage` does, in order.
//   gpipe (Huang et al., NeurIPS 2019): every forward, then every backward; the activations of all are kept.
//   1f1b (PipeDream-Flush; Narayanan et al., ICML 2021): as many forwards as there are stages after it, then a forward
//   and a backward in turn; the activations of at most stages - stage micro-batches are kept. With one stage this is
//   plain gradient accumulation.
std::vector<PipelineStep> pipeline_steps(PipelineOrder order, int stage, int stages, int micro_batches);

struct PipelineOptions {
  WorkerId worker;
  int stages = 1;
  PipelineOrder order = PipelineOrder::gpipe;
  std::vector<MicroBatch> micro_batches;  // this replica's, not empty
  bool loads = true;                      // reads data inputs or targets
  std::int64_t gradient_elements = 0;     // of the stage's flat gradient
};

struct PipelineOps {
  int last_backward = -1;
  // Peers end their backwards about when this worker ends its own; not sooner than one micro-batch before (shares
  // differ by at most one). Waiting for a peer's gradient begins after this operation.
  int nearly_done = -1;
};

PipelineOps append_pipeline(ProgramBuilder& builder, const PipelineOptions& options);

}  // namespace funcpipe
