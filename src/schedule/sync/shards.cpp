#include "schedule/sync/shards.h"

#include <algorithm>
#include <utility>

namespace funcpipe {
namespace {

// Parts that are uploaded at the same time share the uplink and all arrive late, but the first one is wanted early. So
// at most two are uploaded at a time, of which the second hides the latency of the first, or more while they have no
// more than this many elements together.
constexpr std::int64_t kElementsInFlight = 1 << 20;

ObjectName part_for(const SyncGroup& group, int from, int place) {
  return {ObjectKind::part, group.worker.stage, group.members[static_cast<std::size_t>(from)],
          group.first_index + place};
}

WorkerId member(const SyncGroup& group, int place) {
  return {group.worker.stage, group.members[static_cast<std::size_t>(place)]};
}

ObjectName sum_of(const SyncGroup& group, int place) {
  return {ObjectKind::merged, group.worker.stage, group.members[static_cast<std::size_t>(place)],
          group.first_index + place};
}

}  // namespace

Slice shard(std::int64_t elements, int count, int index) {
  // The product elements*count could overflow.
  const std::int64_t quotient = elements / count;
  const std::int64_t remainder = elements % count;
  const auto begin = [&](std::int64_t i) { return quotient * i + remainder * i / count; };
  return {begin(index), begin(index + 1) - begin(index)};
}

Slice shard(const Slice& whole, int count, int index) {
  const Slice part = shard(whole.elements, count, index);
  return {whole.first + part.first, part.elements};
}

int most_staged_parts(std::int64_t elements, int replicas) {
  constexpr std::int64_t kSmall = 1 << 20;  // Elements; 4 MiB.
  const std::int64_t each = std::max<std::int64_t>(elements / std::max(replicas, 1), 1);
  return static_cast<int>(std::max<std::int64_t>(kTransfersInFlight + 1, (kSmall + each - 1) / each));
}

Bytes staged_shards(Bytes bytes, int replicas) {
  const int others = replicas - 1;
  const std::int64_t elements = bytes / static_cast<Bytes>(sizeof(float));
  const Bytes each = (bytes + replicas - 1) / replicas;
  return each * (std::min(others, most_staged_parts(elements, replicas)) + std::min(others, kTransfersInFlight));
}

void StagedSum::add(Op fetch) {
  if (reduces_.size() >= most_) fetch.after.push_back({reduces_[reduces_.size() - most_], 0});
  const Slice slice = fetch.slice;
  const int source = builder_.add(std::move(fetch));
  reduces_.push_back(builder_.add({.kind = OpKind::reduce, .slice = slice, .source = source}));
}

Scattered append_scatter_reduce(ProgramBuilder& builder, const SyncGroup& group, int after) {
  const int n = static_cast<int>(group.members.size()), i = group.place;
  const auto slice = [&](int place) { return shard(group.slice, n, place); };
  const std::int64_t each = std::max<std::int64_t>(group.slice.elements / n, 1);
  const std::size_t in_flight =
      static_cast<std::size_t>(std::max<std::int64_t>(2, (kElementsInFlight + each - 1) / each));

  Scattered scattered{.sent = std::vector<int>(static_cast<std::size_t>(n), -1)};
  std::vector<int> sends;  // In the order in which they are added.
  for (int k = 1; k < n; ++k) {
    const int j = (i + k) % n;
    if (slice(j).elements == 0) continue;
    Op publish{
        .kind = OpKind::publish, .object = part_for(group, i, j), .readers = {member(group, j)}, .slice = slice(j)};
    if (sends.size() >= in_flight) publish.after.push_back({sends[sends.size() - in_flight], 0});
    sends.push_back(scattered.sent[static_cast<std::size_t>(j)] = builder.add(std::move(publish)));
  }
  if (n == 1 || slice(i).elements == 0) return scattered;
  StagedSum sum(builder, most_staged_parts(group.slice.elements, n));
  for (int k = 1; k < n; ++k) {
    Op fetch{.kind = OpKind::fetch, .object = part_for(group, (i - k + n) % n, i), .slice = slice(i)};
    if (after >= 0) fetch.after.push_back({after, 0});
    sum.add(std::move(fetch));
  }
  scattered.summed = sum.last();
  return scattered;
}

void append_gather(ProgramBuilder& builder, const SyncGroup& group, const std::vector<int>& sent) {
  const int n = static_cast<int>(group.members.size()), i = group.place;
  const auto slice = [&](int place) { return shard(group.slice, n, place); };
  if (n > 1 && slice(i).elements > 0) {
    std::vector<WorkerId> others;
    for (int j = 0; j < n; ++j)
      if (j != i) others.push_back(member(group, j));
    builder.add({.kind = OpKind::publish, .object = sum_of(group, i), .readers = std::move(others), .slice = slice(i)});
  }
  for (int k = 1; k < n; ++k) {
    const int j = (i - k + n) % n;
    if (slice(j).elements == 0) continue;
    // The owner needs our part for the sum, so asking before it is sent is of no use.
    builder.add({.kind = OpKind::fetch_into,
                 .object = sum_of(group, j),
                 .slice = slice(j),
                 .after = {{sent[static_cast<std::size_t>(j)], 0}}});
  }
}

SyncTraffic scattered_traffic(double bytes, int replicas) {
  const double n = replicas;
  return {.up_bytes = bytes, .down_bytes = bytes * 2 * (n - 1) / n, .puts = n, .gets = 2 * (n - 1)};
}

Seconds scatter_reduce_seconds(double bytes, int members, const SyncLinks& links) {
  const double n = members;
  const Seconds up = bytes / n / links.uplink, down = bytes / n / links.downlink;  // Times of one shard.
  const Seconds step = std::max({up, down, links.put / 2, links.get / 2});
  return up + (n - 2) * step + down + links.put + links.get;
}

Seconds gather_seconds(double bytes, int members, const SyncLinks& links) {
  const double n = members;
  const Seconds up = bytes / n / links.uplink, down = bytes / n / links.downlink;
  return up + (n - 1) * down + links.put + links.get;
}

}  // namespace funcpipe
