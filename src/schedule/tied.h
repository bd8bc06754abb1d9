// Tied parameters: each stage that uses such a parameter has a share of its gradient. After a stage has summed its
// share over its replicas, the workers of these stages that have the same replica index exchange their shares. Each
// adds them in ascending stage order, so all get the same bits, and the optimiser keeps the copies of the parameter
// equal.
//
// Let a stage be at position p of that order. The first two shares may be added either way round (a + b = b + a in IEEE
// arithmetic), so for p = 0 and p = 1 the other shares are added in order to the own one. For p >= 2 the gradient is
// overwritten with the first share after the own share was published, and the own share is downloaded in its turn.
// With q stages and s bytes a worker uploads s and downloads (q-1) s bytes (q s for p >= 2), and waits for two requests
// one after the other.
#pragma once

#include "schedule/builder.h"

namespace funcpipe {

struct TiedOptions {
  WorkerId worker;
  std::vector<StageShape::Tied> tied;
  int wait_after = -1;  // Operation after which to ask for the other stages' shares; -1 means at once.
};

// Appends the exchange of all tied parameters of one worker.
void append_tied_exchange(ProgramBuilder& builder, const TiedOptions& options);

}  // namespace funcpipe
