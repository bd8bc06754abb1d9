// What the algorithms of synchronisation share. A flat gradient is cut into shards. Each shard has an owner, a replica
// that sums the parts of all replicas and publishes the sum for the others. Its own part is the left operand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule/play_state.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// Returns shard `index` of `count`: elements [index*elements/count, (index+1)*elements/count). Sizes differ by at most
// one. Empty shards are not moved, and nobody waits for them.
Slice shard(std::int64_t elements, int count, int index);
// Returns shard `index` of a slice.
Slice shard(const Slice& whole, int count, int index);

// Returns how many parts of its own shard a worker holds at most, in transfer or waiting to be added, if `elements` are
// divided into `replicas` shards. It is five, one that is added and kTransfersInFlight in transfer, or as many as have
// 4 MiB together if that is more.
int most_staged_parts(std::int64_t elements, int replicas);
// Returns the most bytes of parts of the own shard and of sums of other shards that are in transfer or wait, for a
// gradient of `bytes`.
Bytes staged_shards(Bytes bytes, int replicas);

// Transfers that a lane has in flight by default, each with a buffer of its own.
inline constexpr int kTransfersInFlight = LaneWidths{}.download;

// Adds fetches of parts and the reduces that add them, with at most `most` parts staged at once: a fetch waits for the
// reduce that is `most` before its own. So the memory for parts does not grow with the replicas even if the compute
// lane is late, and transfers go on while one part is added.
class StagedSum {
 public:
  StagedSum(ProgramBuilder& builder, int most) : builder_(builder), most_(static_cast<std::size_t>(most)) {}
  // Adds `fetch`, which downloads a part, and the reduce of that part.
  void add(Op fetch);
  int last() const { return reduces_.empty() ? -1 : reduces_.back(); }  // The last reduce; -1 if there is none.

 private:
  ProgramBuilder& builder_;
  std::size_t most_;
  std::vector<int> reduces_;
};

// A group of replicas that sum a slice together. Each has a place in the group; the member at place i owns shard i.
struct SyncGroup {
  WorkerId worker;           // The worker whose program is written.
  std::vector<int> members;  // Replicas by place.
  int place = 0;             // Place of `worker`.
  Slice slice;               // The slice that is divided into shards.
  int first_index = 0;       // Object index of shard 0.
};

struct Scattered {
  std::vector<int> sent;  // By place: the operation that sent that member its part; -1 if there is none.
  int summed = -1;        // The last addition to the own shard; -1 if there is none.
};
// Appends the first half of a scatter-reduce: each member sends parts to place+1, place+2, ... and sums its own shard
// from parts of place-1, place-2, ..., which is the order in which they are sent. `after` is the operation after which
// to ask for parts; -1 means at once.
Scattered append_scatter_reduce(ProgramBuilder& builder, const SyncGroup& group, int after);
// Appends the second half: publishes the sum of the own shard and fetches those of the others, each after sent[place].
void append_gather(ProgramBuilder& builder, const SyncGroup& group, const std::vector<int>& sent);

// Returns what a worker transfers in a scatter-reduce with one level.
SyncTraffic scattered_traffic(double bytes, int replicas);

// Return the seconds of the two halves for `bytes` over n > 1 members. In the first half one part is uploaded, then
// parts are uploaded while others are downloaded, then the last part is downloaded. With two requests in flight a step
// takes at least half a request's latency. In the second half a sum is uploaded, then the others are downloaded.
Seconds scatter_reduce_seconds(double bytes, int members, const SyncLinks& links);
Seconds gather_seconds(double bytes, int members, const SyncLinks& links);

}  // namespace funcpipe
