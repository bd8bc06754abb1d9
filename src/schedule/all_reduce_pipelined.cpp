#include "schedule/all_reduce_pipelined.h"

#include <algorithm>

#include "plan/memory.h"

namespace funcpipe {
namespace {

// Parts that go up side by side share the uplink and all arrive late; the first is wanted early. So at most two move
// at a time (the second hides the first one's latency), more only while together they are small.
constexpr std::int64_t kElementsInFlight = 1 << 20;

}  // namespace

void append_all_reduce_pipelined(ProgramBuilder& builder, const AllReduceOptions& options) {
  const int n = options.replicas;
  const auto [stage, i] = options.worker;
  const auto slice = [&](int index) { return shard(options.elements, n, index); };
  const std::int64_t shard_elements = std::max<std::int64_t>(options.elements / n, 1);
  const std::size_t in_flight =
      static_cast<std::size_t>(std::max<std::int64_t>(2, (kElementsInFlight + shard_elements - 1) / shard_elements));

  std::vector<int> sent(n, -1);  // by shard
  std::vector<int> sends;        // in order
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    Op publish{.kind = OpKind::publish, .object = {ObjectKind::part, stage, i, j}, .slice = slice(j)};
    if (sends.size() >= in_flight) publish.after.push_back({sends[sends.size() - in_flight], 0});
    sent[j] = builder.add(std::move(publish));
    sends.push_back(sent[j]);
  }
  if (n > 1 && slice(i).elements > 0) {
    StagedSum sum(builder, most_staged_parts(options.elements, n));
    for (int k = 1; k < n; ++k) {
      Op fetch{.kind = OpKind::fetch, .object = {ObjectKind::part, stage, (i - k + n) % n, i}, .slice = slice(i)};
      if (options.wait_after >= 0) fetch.after.push_back({options.wait_after, 0});
      sum.add(std::move(fetch));
    }
    builder.add({.kind = OpKind::publish, .object = {ObjectKind::merged, stage, i, i}, .slice = slice(i)});
  }
  for (int k = 1; k < n; ++k) {
    const int j = (i - k + n) % n;
    if (sent[j] < 0) continue;
    // Its owner needs our part first, so there is no use in asking before that has left.
    builder.add({.kind = OpKind::fetch_into,
                 .object = {ObjectKind::merged, stage, j, j},
                 .slice = slice(j),
                 .after = {{sent[j], 0}}});
  }
}

}  // namespace funcpipe
