// FuncPipe's pipelined scatter-reduce: a worker uploads parts while it downloads the parts of others.
//
// Worker i of n, shards of s/n bytes:
//   upload lane:   part of shard i+1, i+2, ..., i+n-1 (mod n), then the merged shard i
//   download lane: part of shard i from worker i-1, i-2, ..., i+1 (the order in which they are uploaded), then the
//                  merged shards of i-1, i-2, ..., i+1
//   compute lane:  shard i = ((own + part of i-1) + part of i-2) + ... + part of i+1
// A worker uploads (n-1) s/n + s/n = s bytes and downloads (n-1) s/n + (n-1) s/n = 2 (1 - 1/n) s bytes. With a
// bandwidth of w in each direction and t seconds of latency per request, one request at a time takes 2 s/w + (2+n) t
// seconds. Several requests at a time hide latency. The order of a sum depends on the shard and n only.
#include <numeric>

#include "schedule/sync/shards.h"

namespace funcpipe::sync {
namespace {

void append(ProgramBuilder& builder, const SyncPart& part) {
  SyncGroup all{.worker = part.worker,
                .members = std::vector<int>(static_cast<std::size_t>(part.replicas)),
                .place = part.worker.replica,
                .slice = {0, part.elements}};
  std::iota(all.members.begin(), all.members.end(), 0);
  append_gather(builder, all, append_scatter_reduce(builder, all, part.wait_after).sent);
}

Seconds seconds(double bytes, int replicas, const SyncLinks& links) {
  return scatter_reduce_seconds(bytes, replicas, links) + gather_seconds(bytes, replicas, links);
}

}  // namespace

const SyncTraits& pipelined() {
  static constexpr SyncTraits kTraits{.name = "pipelined",
                                      .column = "pipe",
                                      .searched = true,
                                      .passes = [](int) { return 3.0; },
                                      .seconds = seconds,
                                      .traffic = scattered_traffic,
                                      .staged = staged_shards,
                                      .append = append};
  return kTraits;
}

}  // namespace funcpipe::sync
