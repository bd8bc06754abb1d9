// LambdaML's scatter-reduce through storage (Jiang et al., SIGMOD 2021). A worker does three phases one after another.
//
// Worker i of n, shards of s/n bytes:
//   1. upload its part of every other shard:            (n-1) s/n bytes up
//   2. download the n-1 others' parts of shard i, add:  (n-1) s/n bytes down, own share first, then ascending worker
//   3. upload the merged shard i, download the others:  s/n bytes up, then (n-1) s/n bytes down
// With a bandwidth of w in each direction, t seconds of latency per request and parallel requests within a phase this
// takes 3 s/w - 2 s/(n w) + 4 t seconds.
#include <cmath>

#include "schedule/sync/shards.h"

namespace funcpipe::sync {
namespace {

void append(ProgramBuilder& builder, const SyncPart& part) {
  const int n = part.replicas;
  const auto [stage, i] = part.worker;
  const auto slice = [&](int index) { return shard(part.elements, n, index); };

  std::vector<Dependency> phase;  // All operations of the phase before.
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    phase.push_back({builder.add({.kind = OpKind::publish,
                                  .object = {ObjectKind::part, stage, i, j},
                                  .readers = {{stage, j}},
                                  .slice = slice(j)}),
                     0});
  }
  if (n > 1 && slice(i).elements > 0) {
    if (phase.empty() && part.wait_after >= 0) phase.push_back({part.wait_after, 0});
    StagedSum sum(builder, most_staged_parts(part.elements, n));
    for (int j = 0; j < n; ++j) {
      if (j == i) continue;
      sum.add({.kind = OpKind::fetch, .object = {ObjectKind::part, stage, j, i}, .slice = slice(i), .after = phase});
    }
    // The publish waits for the last reduce, and so for the whole second phase.
    std::vector<WorkerId> others;
    for (int j = 0; j < n; ++j)
      if (j != i) others.push_back({stage, j});
    phase = {{builder.add({.kind = OpKind::publish,
                           .object = {ObjectKind::merged, stage, i, i},
                           .readers = std::move(others),
                           .slice = slice(i)}),
              0}};
  }
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    builder.add(
        {.kind = OpKind::fetch_into, .object = {ObjectKind::merged, stage, j, j}, .slice = slice(j), .after = phase});
  }
}

// The terms are parts up, parts down, sum up and sums down; they do not overlap. Requests of a phase come in waves of
// links.connections.
Seconds seconds(double bytes, int replicas, const SyncLinks& links) {
  const double n = replicas;
  const Seconds up = bytes / n / links.uplink, down = bytes / n / links.downlink;  // Times of one shard.
  const double waves = std::ceil((n - 1) / links.connections);
  return (n - 1) * up + (n - 1) * down + up + (n - 1) * down + (waves + 1) * links.put + 2 * waves * links.get;
}

}  // namespace

const SyncTraits& three_phase() {
  static constexpr SyncTraits kTraits{.name = "three-phase",
                                      .column = "3-ph",
                                      .searched = true,
                                      .passes = [](int) { return 3.0; },
                                      .seconds = seconds,
                                      .traffic = scattered_traffic,
                                      .staged = staged_shards,
                                      .append = append};
  return kTraits;
}

}  // namespace funcpipe::sync
