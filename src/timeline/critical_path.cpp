#include "timeline/critical_path.h"

#include <algorithm>

#include "base/check.h"

namespace funcpipe {

std::vector<PathStep> walk_back(const Played& played, int op, Seconds until, Seconds from) {
  std::vector<PathStep> steps;
  Seconds now = until;
  // This ends: in a sound job an operation waits only for operations that come before it, whatever the times say.
  while (op >= 0 && now > from) {
    const PlayedOp& at = played.at(op);
    now = std::min(now, at.event.end);
    const Seconds before = at.after >= 0 ? played.at(at.after).event.end : at.active;
    PathStep step{.op = op, .from = std::clamp(before, std::min(from, now), now), .to = now};
    step.begun = std::clamp(at.active, step.from, step.to);
    if (step.from < from) step.from = from;
    if (step.to > step.from) steps.push_back(step);
    now = step.from;
    op = at.after;
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

Activity activity_of(OpKind kind) {
  switch (traits(kind).purpose) {
    case Purpose::forward:
    case Purpose::backward:
    case Purpose::update:
      return Activity::compute;
    case Purpose::activation:
    case Purpose::gradient:
      return Activity::pipeline;
    case Purpose::sum:
    case Purpose::synchronisation:
      return Activity::synchronisation;
    case Purpose::data:
      return Activity::data;
    case Purpose::housekeeping:
      return Activity::housekeeping;
  }
  FUNCPIPE_CHECK(false, "operation kind {}", static_cast<int>(kind));
  return Activity::compute;
}

bool polled(const PlayedOp& op) {
  return op.waited_for == WaitedFor::object || op.event.asked.has_value();
}

std::string_view to_string(Activity activity) {
  switch (activity) {
    case Activity::compute:
      return "compute";
    case Activity::pipeline:
      return "pipeline transfer";
    case Activity::synchronisation:
      return "synchronisation";
    case Activity::data:
      return "training data";
    case Activity::housekeeping:
      return "reports and removals";
  }
  return "unknown";
}

CriticalPath critical_path(const Played& played, IterationRange range) {
  FUNCPIPE_CHECK(range.first < range.end && range.first >= played.whole().first && range.end <= played.whole().end,
                 "iterations {} to {} of {} to {}", range.first, range.end, played.whole().first, played.whole().end);
  CriticalPath path{.range = range};
  const int last = played.last_update(range.end - 1);
  path.to = played.at(last).event.end;
  if (const auto before = played.updated(range.first - 1)) {
    path.from = *before;
  } else {
    path.from = path.to;
    for (const PlayedOp& op : played.ops())
      if (op.event.iteration == range.first) path.from = std::min(path.from, op.active);
  }
  path.steps = walk_back(played, last, path.to, path.from);
  return path;
}

PathSums sums(const Played& played, const std::vector<PathStep>& steps) {
  PathSums sum;
  for (const PathStep& step : steps) {
    const PlayedOp& op = played.at(step.op);
    const Activity activity = activity_of(played.op(op).kind);
    (polled(op) ? sum.polling : sum.late) += step.begun - step.from;
    const Seconds took = step.to - step.begun;
    if (activity != Activity::compute) {
      sum.transfers[static_cast<std::size_t>(activity)] += took;
      continue;
    }
    const auto stage = static_cast<std::size_t>(played.programs()[static_cast<std::size_t>(op.worker)].worker.stage);
    if (sum.compute.size() <= stage) sum.compute.resize(stage + 1);
    sum.compute[stage] += took;
  }
  return sum;
}

}  // namespace funcpipe
