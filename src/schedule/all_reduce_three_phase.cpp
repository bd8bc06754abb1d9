#include "schedule/all_reduce_three_phase.h"

#include "plan/memory.h"

namespace funcpipe {

void append_all_reduce_three_phase(ProgramBuilder& builder, const AllReduceOptions& options) {
  const int n = options.replicas;
  const auto [stage, i] = options.worker;
  const auto slice = [&](int index) { return shard(options.elements, n, index); };

  std::vector<Dependency> phase;  // all of the phase before
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    phase.push_back(
        {builder.add({.kind = OpKind::publish, .object = {ObjectKind::part, stage, i, j}, .slice = slice(j)}), 0});
  }
  if (n > 1 && slice(i).elements > 0) {
    if (phase.empty() && options.wait_after >= 0) phase.push_back({options.wait_after, 0});
    StagedSum sum(builder, most_staged_parts(options.elements, n));
    for (int j = 0; j < n; ++j) {
      if (j == i) continue;
      sum.add({.kind = OpKind::fetch, .object = {ObjectKind::part, stage, j, i}, .slice = slice(i), .after = phase});
    }
    // Waits for the last reduce, and so for the whole second phase.
    phase = {
        {builder.add({.kind = OpKind::publish, .object = {ObjectKind::merged, stage, i, i}, .slice = slice(i)}), 0}};
  }
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    builder.add(
        {.kind = OpKind::fetch_into, .object = {ObjectKind::merged, stage, j, j}, .slice = slice(j), .after = phase});
  }
}

}  // namespace funcpipe
