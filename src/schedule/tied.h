// A parameter used by several stages has a share of its gradient on each. Once a stage has summed its share over its
// replicas, the stages' workers of the same replica index exchange shares, and each adds them in ascending stage order:
// all compute the same bits, so the optimiser keeps the copies alike without further talk.
//
// Own share at position p of the ascending order: the first two shares may be added either way round (a + b = b + a in
// IEEE arithmetic), so for p = 0 and p = 1 the others are simply added in order. For p >= 2 the gradient is overwritten
// with share 0 once the own share is published, and the own share comes back from the store at its turn.
// Of q stages and s bytes: s up, (q-1) s down (q s for p >= 2), two requests deep.
#pragma once

#include "schedule/builder.h"

namespace funcpipe {

struct TiedOptions {
  WorkerId worker;
  std::vector<StageShape::Tied> tied;
  int wait_after = -1;  // operation after which waiting for other stages' shares makes sense; -1: at once
};

void append_tied_exchange(ProgramBuilder& builder, const TiedOptions& options);

}  // namespace funcpipe
