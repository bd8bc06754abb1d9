// GPipe order (Huang et al., NeurIPS 2019): every forward, then every backward. The backwards run in the order of the
// forwards, 0..mu-1, so a gradient is the sum over micro-batches in the order a plain loop would add them: same bits.
// Receives are issued ahead of need and sends leave while the next micro-batch computes.
#pragma once

#include <vector>

#include "schedule/builder.h"

namespace funcpipe {

struct GpipeOptions {
  WorkerId worker;
  int stages = 1;
  std::vector<MicroBatch> micro_batches;  // this replica's, not empty
  bool loads = true;                      // reads data inputs or targets
};

struct GpipeOps {
  std::vector<int> forwards, backwards;
  int last_backward = -1;
  // Peers end their backwards about when this worker ends its own; not sooner than one micro-batch before (shares
  // differ by at most one). Waiting for a peer's gradient begins after this operation.
  int nearly_done = -1;
};

GpipeOps append_gpipe(ProgramBuilder& builder, const GpipeOptions& options);

}  // namespace funcpipe
