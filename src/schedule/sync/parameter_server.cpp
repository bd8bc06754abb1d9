// HybridPS's synchronisation, after the design of Cirrus (Carreira et al., SoCC 2019): push, then pull. n functions
// hold the whole model, and a machine beside them sums their gradients.
//
// A function uploads its gradient in shards. Once all are uploaded it downloads the summed shards, which overwrite its
// own. The server downloads the parts of a shard from functions 0, 1, ..., n-1, sums them in that order and publishes
// the sum. With s bytes of gradient, a bandwidth of w bytes/s in each direction per function and W at the server this
// takes 2 max(s/w, n s/W) seconds and some latencies. Shards let the server sum one while others are transferred. Pulls
// do not overlap with pushes, as in HybridPS. Each function updates its own weights with the sum, which has as many
// bytes as the weights that a Cirrus server would send.
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

// Appends a function's part.
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

// Returns the server's program, which has no update.
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
    // The server's gradient holds a shard of one iteration at a time.
    for (const int part : parts) builder.depend(part, {last, 1});
  }
  // The last publish takes the place of the update: a function pushed its part of iteration t after its update of t-1,
  // and so after it had pulled all sums of t-1.
  if (last >= 0) builder.release_published(last);
  return std::move(builder).finish();
}

// Returns the bytes of the sums that a function is downloading at once.
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
