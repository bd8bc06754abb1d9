// What both all-reduces share: one stage's flat gradient of `elements` is cut into one shard per replica; replica i
// sums shard i over all replicas, its own share being the left operand, and hands the sum to the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

// Fetches of parts and the additions of what they bring, of which only so many are staged at once: a fetch waits for
// the addition `most` before its own. So the memory for parts does not grow with the replicas, however late the compute
// lane comes to add them, and the links stay busy while one part is added.
class StagedSum {
 public:
  StagedSum(ProgramBuilder& builder, int most) : builder_(builder), most_(static_cast<std::size_t>(most)) {}
  // `fetch` brings a part for its slice, which is added next.
  void add(Op fetch);

 private:
  ProgramBuilder& builder_;
  std::size_t most_;
  std::vector<int> reduces_;
};

}  // namespace funcpipe
