#include "timeline/utilisation.h"

#include <algorithm>

namespace funcpipe {
namespace {

struct Interval {
  Seconds from = 0, to = 0;
  int op = 0;
};

// Returns the times in which operations of a lane were active, by their beginning.
std::vector<Interval> active(const Played& played, int worker, Lane lane) {
  std::vector<Interval> found;
  const std::span<const PlayedOp> ops = played.ops_of(worker);
  const auto first = static_cast<int>(ops.data() - played.ops().data());
  for (int i = 0; i < std::ssize(ops); ++i) {
    const PlayedOp& op = ops[static_cast<std::size_t>(i)];
    if (played.lane(op) == lane) found.push_back({op.active, op.event.end, first + i});
  }
  std::stable_sort(found.begin(), found.end(), [](const Interval& a, const Interval& b) { return a.from < b.from; });
  return found;
}

void add_wait(const Played& played, const Gap& gap, Shares& shares) {
  Seconds named = 0;
  for (const PathStep& step : chain_of(played, gap)) {
    const Seconds from = std::clamp(step.begun, gap.from, gap.to), to = std::clamp(step.to, gap.from, gap.to);
    const Seconds ready = std::clamp(step.from, gap.from, gap.to);
    if (polled(played.at(step.op))) {
      shares.polling += from - ready;
      named += from - ready;
    }
    named += to - from;
    switch (activity_of(played.op(played.at(step.op)).kind)) {
      case Activity::compute:
        shares.bubble += to - from;
        break;
      case Activity::pipeline:
        shares.pipeline += to - from;
        break;
      case Activity::synchronisation:
        shares.synchronisation += to - from;
        break;
      case Activity::data:
        shares.data += to - from;
        break;
      case Activity::housekeeping:
        shares.other += to - from;
        break;
    }
  }
  shares.other += gap.seconds() - named;
}

}  // namespace

std::vector<PathStep> chain_of(const Played& played, const Gap& gap) {
  if (gap.next < 0) return {};
  return walk_back(played, gap.next, played.at(gap.next).active, gap.from);
}

Utilisation utilisation(const Played& played, Seconds from, Seconds to) {
  Utilisation use{.from = from, .to = to};
  use.functions = static_cast<int>(std::ranges::count_if(
      played.programs(), [](const Program& program) { return program.worker != kParameterServer; }));
  for (int worker = 0; worker < std::ssize(played.programs()); ++worker) {
    WorkerUse& of = use.workers.emplace_back();
    for (const Lane lane : {Lane::compute, Lane::download, Lane::upload}) {
      const auto index = static_cast<std::size_t>(lane);
      const auto stands_still = [&](Seconds since, Seconds until, int next) {
        of.gaps[index].push_back({.worker = worker, .lane = lane, .from = since, .to = until, .next = next});
      };
      Seconds now = from;
      for (const Interval& interval : active(played, worker, lane)) {
        if (interval.to <= now) continue;
        if (interval.from > now) stands_still(now, std::min(interval.from, to), interval.op);
        now = std::max(now, std::min(interval.from, to));
        if (now >= to) break;
        const Seconds end = std::min(interval.to, to);
        of.busy[index] += end - now;
        if (lane == Lane::compute) {
          const bool sums = traits(played.op(played.at(interval.op)).kind).purpose == Purpose::sum;
          (sums ? of.shares.synchronisation : of.shares.compute) += end - now;
        }
        now = end;
      }
      if (now < to) stands_still(now, to, -1);
    }
    for (const Gap& gap : of.gaps[static_cast<std::size_t>(Lane::compute)]) add_wait(played, gap, of.shares);
  }
  return use;
}

Shares mean_shares(std::span<const WorkerUse> workers) {
  Shares mean;
  for (const WorkerUse& worker : workers)
    for (Seconds Shares::*share : {&Shares::compute, &Shares::pipeline, &Shares::synchronisation, &Shares::bubble,
                                   &Shares::polling, &Shares::data, &Shares::other})
      mean.*share += worker.shares.*share / static_cast<double>(workers.size());
  return mean;
}

Shares Utilisation::shares() const {
  return mean_shares(std::span(workers).first(static_cast<std::size_t>(functions)));
}

}  // namespace funcpipe
