// What the algorithms share: a flat gradient is cut into shards, of which each has an owner who sums it, its own share
// being the left operand, and hands the sum to the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule/play_state.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// [i*elements/n, (i+1)*elements/n): sizes differ by at most one; empty shards move nothing and nobody waits for them.
Slice shard(std::int64_t elements, int count, int index);
// The same of a slice.
Slice shard(const Slice& whole, int count, int index);

// Parts of its own shard that a worker holds at most, on their way or waiting to be added, while it sums them over
// `replicas`; `elements` are those that `replicas` shards make. Five: one that is added and as many on their way as a
// lane has by default; or more while they are small together (4 MiB).
int most_staged_parts(std::int64_t elements, int replicas);
// Bytes of parts of the own shard and of sums of the others, on their way or waiting.
Bytes staged_shards(Bytes bytes, int replicas);

// Transfers a lane keeps in flight by default, each with a buffer of its own.
inline constexpr int kTransfersInFlight = LaneWidths{}.download;

// Fetches of parts and the additions of what they bring, of which only so many are staged at once: a fetch waits for
// the addition `most` before its own. So the memory for parts does not grow with the replicas, however late the compute
// lane comes to add them, and the links stay busy while one part is added.
class StagedSum {
 public:
  StagedSum(ProgramBuilder& builder, int most) : builder_(builder), most_(static_cast<std::size_t>(most)) {}
  // `fetch` brings a part for its slice, which is added next.
  void add(Op fetch);
  int last() const { return reduces_.empty() ? -1 : reduces_.back(); }  // addition

 private:
  ProgramBuilder& builder_;
  std::size_t most_;
  std::vector<int> reduces_;
};

// Members of a group, each with a place in it, who scatter and reduce a slice: member i ends with the sum of shard i.
struct SyncGroup {
  WorkerId worker;           // this one
  std::vector<int> members;  // replicas, by place
  int place = 0;             // of this worker
  Slice slice;               // its shards are scattered
  int first_index = 0;       // object index of shard 0
};

// Parts go up to place+1, place+2, ... and come down from place-1, place-2, ..., in the order in which they are
// uploaded. `after`: operation after which waiting for parts makes sense; -1: at once.
struct Scattered {
  std::vector<int> sent;  // by place: the operation that sent that member's part; -1: none was
  int summed = -1;        // the last addition to the own shard; -1: there is none
};
Scattered append_scatter_reduce(ProgramBuilder& builder, const SyncGroup& group, int after);
// Publishes the own shard, which is summed, and fetches the others', each once operation sent[place] is done.
void append_gather(ProgramBuilder& builder, const SyncGroup& group, const std::vector<int>& sent);

// What a worker of a scatter-reduce with one level moves, and in how many requests.
SyncTraffic scattered_traffic(double bytes, int replicas);

// Seconds of the two for `bytes` over n > 1 members. A first part up; then parts up while parts come down; the last
// part down. A step shorter than a request's latency waits for it, with two requests in flight. Then the sum up, and
// sums down.
Seconds scatter_reduce_seconds(double bytes, int members, const SyncLinks& links);
Seconds gather_seconds(double bytes, int members, const SyncLinks& links);

}  // namespace funcpipe
