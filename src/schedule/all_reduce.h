// What both all-reduces share: one stage's flat gradient of `elements` is cut into one shard per replica; replica i
// sums shard i over all replicas, its own share being the left operand, and hands the sum to the others.
#pragma once

#include <cstdint>

#include "schedule/builder.h"

namespace funcpipe {

struct AllReduceOptions {
  WorkerId worker;
  int replicas = 1;
  std::int64_t elements = 0;  // of the flat gradient, 4 bytes each
  int wait_after = -1;        // operation after which waiting for peers' parts makes sense; -1: at once
};

// [i*elements/n, (i+1)*elements/n): sizes differ by at most one; empty shards move nothing and nobody waits for them.
Slice shard(std::int64_t elements, int replicas, int index);

}  // namespace funcpipe
