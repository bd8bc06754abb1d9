#include "schedule/parameter_server.h"

#include <utility>
#include <vector>

namespace funcpipe {
namespace {

ObjectName part_of(WorkerId worker, int index) {
  return {ObjectKind::part, worker.stage, worker.replica, index};
}

ObjectName sum_of(int index) {
  return {ObjectKind::merged, kParameterServer.stage, kParameterServer.replica, index};
}

}  // namespace

void append_push_and_pull(ProgramBuilder& builder, const AllReduceOptions& options) {
  const auto slice = [&](int index) { return shard(options.elements, kServerShards, index); };
  std::vector<Dependency> pushed;
  for (int k = 0; k < kServerShards; ++k) {
    if (slice(k).elements == 0) continue;
    pushed.push_back(
        {builder.add({.kind = OpKind::publish, .object = part_of(options.worker, k), .slice = slice(k)}), 0});
  }
  for (int k = 0; k < kServerShards; ++k) {
    if (slice(k).elements == 0) continue;
    builder.add({.kind = OpKind::fetch_into, .object = sum_of(k), .slice = slice(k), .after = pushed});
  }
}

Program parameter_server_program(const Plan& plan, const StageShape& shape) {
  ProgramBuilder builder(kParameterServer);
  std::vector<ObjectName> sums;
  int last = -1;
  for (int k = 0; k < kServerShards; ++k) {
    const Slice slice = shard(shape.gradient_elements, kServerShards, k);
    if (slice.elements == 0) continue;
    std::vector<int> parts;
    for (int replica = 0; replica < plan.replicas; ++replica) {
      parts.push_back(builder.add({.kind = replica == 0 ? OpKind::fetch_into : OpKind::fetch,
                                   .object = part_of({0, replica}, k),
                                   .slice = slice}));
      if (replica > 0) builder.add({.kind = OpKind::reduce, .slice = slice, .source = parts.back()});
    }
    sums.push_back(sum_of(k));
    last = builder.add({.kind = OpKind::publish, .object = sums.back(), .slice = slice});
    // The buffer holds this shard of one iteration at a time.
    for (const int part : parts) builder.depend(part, {last, 1});
  }
  // A function's part of t was pushed after its update of t-1, and so after all it pulled of t-1.
  if (last >= 0)
    builder.add({.kind = OpKind::release, .released = std::move(sums), .release_age = 1, .after = {{last, 0}}});
  return std::move(builder).finish();
}

}  // namespace funcpipe
