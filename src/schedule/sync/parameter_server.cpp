// HybridPS's synchronisation (the Cirrus design): push, then pull. n functions hold the whole model; a machine beside
// them sums their gradients.
//
// Function i: its gradient goes up in shards; once all have left it asks for the summed ones, which overwrite its own.
// Server: takes a shard's parts from functions 0, 1, ..., n-1, sums them in that order, publishes the sum.
// s bytes of gradient, w bytes/s each way per function, W per way at the server: 2 max(s/w, n s/W), and latencies. The
// shards are there so that the server sums one while others are on their way; pulls do not overlap with pushes, as in
// the design that stands here to be compared with. Each function updates its own weights with the sum: as many bytes as
// the weights a Cirrus server would send.
#include "schedule/sync/parameter_server.h"

#include <utility>

#include "schedule/sync/shards.h"

namespace funcpipe::sync {
namespace {

ObjectName part_of(WorkerId worker, int index) {
  return {ObjectKind::part, worker.stage, worker.replica, index};
}

ObjectName sum_of(int index) {
  return {ObjectKind::merged, kParameterServer.stage, kParameterServer.replica, index};
}

// The function's side.
void append(ProgramBuilder& builder, const SyncPart& part) {
  const auto slice = [&](int index) { return shard(part.elements, kServerShards, index); };
  std::vector<Dependency> pushed;
  for (int k = 0; k < kServerShards; ++k) {
    if (slice(k).elements == 0) continue;
    pushed.push_back({builder.add({.kind = OpKind::publish,
                                   .object = part_of(part.worker, k),
                                   .readers = {kParameterServer},
                                   .slice = slice(k)}),
                      0});
  }
  for (int k = 0; k < kServerShards; ++k) {
    if (slice(k).elements == 0) continue;
    builder.add({.kind = OpKind::fetch_into, .object = sum_of(k), .slice = slice(k), .after = pushed});
  }
}

// The server's: one iteration, without an update.
Program server(int replicas, std::int64_t elements) {
  ProgramBuilder builder(kParameterServer);
  std::vector<WorkerId> functions;
  functions.reserve(static_cast<std::size_t>(replicas));
  for (int replica = 0; replica < replicas; ++replica) functions.push_back({0, replica});
  int last = -1;
  for (int k = 0; k < kServerShards; ++k) {
    const Slice slice = shard(elements, kServerShards, k);
    if (slice.elements == 0) continue;
    std::vector<int> parts;
    for (int replica = 0; replica < replicas; ++replica) {
      parts.push_back(builder.add({.kind = replica == 0 ? OpKind::fetch_into : OpKind::fetch,
                                   .object = part_of({0, replica}, k),
                                   .slice = slice}));
      if (replica > 0) builder.add({.kind = OpKind::reduce, .slice = slice, .source = parts.back()});
    }
    last = builder.add({.kind = OpKind::publish, .object = sum_of(k), .readers = functions, .slice = slice});
    // The buffer holds this shard of one iteration at a time.
    for (const int part : parts) builder.depend(part, {last, 1});
  }
  // The last publish stands for the update: a function's part of t was pushed after its update of t-1, and so after all
  // it pulled of t-1.
  if (last >= 0) builder.release_published(last);
  return std::move(builder).finish();
}

// Sums that a function has received and not yet copied: of its eight shards as many as are in flight.
Bytes staged(Bytes bytes, int) {
  return bytes / kServerShards * kTransfersInFlight;
}

}  // namespace

const SyncTraits& parameter_server() {
  static constexpr SyncTraits kTraits{.name = "parameter-server",
                                      .column = "server",
                                      .has_server = true,
                                      .judged_as = "three-phase",
                                      .passes = [](int) { return 2.0; },
                                      .staged = staged,
                                      .append = append,
                                      .server = server};
  return kTraits;
}

}  // namespace funcpipe::sync
