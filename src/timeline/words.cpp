#include "timeline/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/units.h"

namespace funcpipe {
namespace {

// Times shorter than this are not named: it takes a thread about as long to wake up.
constexpr Seconds kInstant = 20e-6;

// Returns how many operations of the same lane were active for more than half of this one's time.
int beside(const Played& played, const PlayedOp& op) {
  const Seconds least = (op.event.end - op.active) / 2;
  int others = 0;
  for (const PlayedOp& other : played.ops_of(op.worker)) {
    if (&other == &op || played.lane(other) != played.lane(op)) continue;
    if (std::min(op.event.end, other.event.end) - std::max(op.active, other.active) > least) ++others;
  }
  return others;
}

std::string shared_link(const Played& played, const PlayedOp& download) {
  const int others = beside(played, download);
  if (others == 0) return {};
  return fmt::format(", which shares the link with {}", counted(others, "other"));
}

std::string whose(const ObjectName& object) {
  return to_string(WorkerId{object.stage, object.replica});
}

std::string what_is_needed(const Played& played, const PlayedOp& needed) {
  const Op& op = played.op(needed);
  if (is_consumer(op.kind))
    return fmt::format("waits for {} from {}{}", in_words(op.object), whose(op.object), shared_link(played, needed));
  if (traits(op.kind).store == StoreRequest::read_data)
    return fmt::format("waits for the data of micro-batch {}", op.micro_batch) + shared_link(played, needed);
  if (is_update(op.kind)) return fmt::format("waits for the update of iteration {}", needed.event.iteration);
  return "waits for " + in_words(op);
}

}  // namespace

std::string in_words(const ObjectName& object) {
  switch (object.kind) {
    case ObjectKind::activation:
      return fmt::format("activation of micro-batch {}", object.index);
    case ObjectKind::gradient:
      return fmt::format("gradient of micro-batch {}", object.index);
    case ObjectKind::part:
      return fmt::format("part of weight gradient {}", object.index);
    case ObjectKind::merged:
      return fmt::format("sum of weight gradient {}", object.index);
    case ObjectKind::buffers:
      return "buffers";
    case ObjectKind::tied:
      return fmt::format("gradient of tied parameter {}", object.index);
  }
  return "object";
}

std::string in_words(const Op& op) {
  const OpTraits& of = traits(op.kind);
  if (of.store == StoreRequest::publish) return "upload of the " + in_words(op.object);
  if (of.store == StoreRequest::take) return "download of the " + in_words(op.object);
  if (op.micro_batch < 0) return std::string(of.words);
  return fmt::format("{} of micro-batch {}", of.words, op.micro_batch);
}

std::string reason(const Played& played, const PlayedOp& op) {
  if (op.after < 0) return "is the first that was traced";
  const PlayedOp& before = played.at(op.after);
  const Op& waited_for = played.op(before);
  switch (op.waited_for) {
    case WaitedFor::nothing:
      return "is the first that was traced";
    case WaitedFor::dependency:
      return what_is_needed(played, before);
    case WaitedFor::lane:
      return played.lane(op) == Lane::compute ? "waits for its lane: " + in_words(waited_for)
                                              : "waits for a free connection: " + in_words(waited_for);
    case WaitedFor::object:
      return fmt::format("waits for {} to upload the {}",
                         to_string(played.programs()[static_cast<std::size_t>(before.worker)].worker),
                         in_words(waited_for.object));
    case WaitedFor::iteration:
      return fmt::format("waits for iteration {} to end", before.event.iteration);
  }
  return "waits";
}

std::string reason(const Played& played, const Gap& gap) {
  if (gap.next < 0) return "nothing more was traced";
  const PlayedOp& next = played.at(gap.next);
  if (next.after >= 0 && played.at(next.after).event.end <= gap.from + kInstant)
    return "nothing held it up: begins late";
  return reason(played, next);
}

std::vector<std::string> parts(const Played& played, const Gap& gap, std::size_t most) {
  std::vector<std::pair<Seconds, std::string>> found;
  for (const PathStep& step : chain_of(played, gap)) {
    const PlayedOp& op = played.at(step.op);
    const std::string where = to_string(played.programs()[static_cast<std::size_t>(op.worker)].worker);
    if (step.begun - step.from > kInstant)
      found.emplace_back(step.begun - step.from,
                         fmt::format(fmt::runtime(polled(op) ? "until {} asks for the {}" : "until {} begins the {}"),
                                     where, polled(op) ? in_words(played.op(op).object) : in_words(played.op(op))));
    if (step.to - step.begun > kInstant)
      found.emplace_back(step.to - step.begun, fmt::format("{} at {}", in_words(played.op(op)), where));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (found.size() > most) found.resize(most);
  std::vector<std::string> lines;
  lines.reserve(found.size());
  for (const auto& [seconds, what] : found) lines.push_back(format_seconds(seconds) + " " + what);
  return lines;
}

}  // namespace funcpipe
