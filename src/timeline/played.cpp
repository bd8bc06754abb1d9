#include "timeline/played.h"

#include <algorithm>
#include <limits>
#include <map>
#include <queue>
#include <utility>

#include "base/check.h"

namespace funcpipe {

Played::Played(std::vector<Program> programs, const std::vector<std::vector<OpEvent>>& events, LaneWidth widths)
    : programs_(std::move(programs)) {
  FUNCPIPE_CHECK(events.size() == programs_.size(), "events of {} workers for {} programs", events.size(),
                 programs_.size());
  join_events(events);
  find_whole();
  find_waits(widths);
}

const Op& Played::op(const PlayedOp& played) const {
  return programs_[static_cast<std::size_t>(played.worker)].ops[static_cast<std::size_t>(played.event.op)];
}

std::span<const PlayedOp> Played::ops_of(int worker) const {
  const std::size_t begin = begins_[static_cast<std::size_t>(worker)],
                    end = begins_[static_cast<std::size_t>(worker) + 1];
  return std::span(ops_).subspan(begin, end - begin);
}

bool Played::tells_polling() const {
  return std::any_of(ops_.begin(), ops_.end(), [](const PlayedOp& op) { return op.event.asked.has_value(); });
}

int Played::find(int worker, std::int64_t iteration, int op) const {
  if (iteration < first_ || iteration >= first_ + iterations_) return -1;
  const auto size = static_cast<std::int64_t>(programs_[static_cast<std::size_t>(worker)].ops.size());
  return index_[static_cast<std::size_t>(worker)][static_cast<std::size_t>((iteration - first_) * size + op)];
}

void Played::join_events(const std::vector<std::vector<OpEvent>>& events) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
  for (const auto& of_worker : events)
    for (const OpEvent& event : of_worker) {
      first = std::min(first, event.iteration);
      last = std::max(last, event.iteration);
    }
  if (first <= last) {
    first_ = first;
    iterations_ = last - first + 1;
  }
  for (std::size_t worker = 0; worker < programs_.size(); ++worker) {
    begins_.push_back(ops_.size());
    for (const OpEvent& event : events[worker])
      ops_.push_back({.worker = static_cast<int>(worker), .event = event, .active = event.start});
    std::sort(ops_.begin() + static_cast<std::ptrdiff_t>(begins_.back()), ops_.end(),
              [](const PlayedOp& a, const PlayedOp& b) {
                return std::pair(a.event.iteration, a.event.op) < std::pair(b.event.iteration, b.event.op);
              });
    const std::size_t size = programs_[worker].ops.size();
    std::vector<int> index(static_cast<std::size_t>(iterations_) * size, -1);
    for (std::size_t i = begins_.back(); i < ops_.size(); ++i) {
      const OpEvent& event = ops_[i].event;
      int& place =
          index[static_cast<std::size_t>(event.iteration - first_) * size + static_cast<std::size_t>(event.op)];
      FUNCPIPE_CHECK(place < 0, "operation {} of iteration {} has two events", event.op, event.iteration);
      place = static_cast<int>(i);
    }
    index_.push_back(std::move(index));
  }
  begins_.push_back(ops_.size());
}

void Played::find_whole() {
  const auto known = [&](std::int64_t iteration) {
    for (std::size_t worker = 0; worker < programs_.size(); ++worker)
      for (int op = 0; op < std::ssize(programs_[worker].ops); ++op)
        if (find(static_cast<int>(worker), iteration, op) < 0) return false;
    return true;
  };
  IterationRange run{first_, first_};
  for (std::int64_t iteration = first_; iteration < first_ + iterations_; ++iteration) {
    run = known(iteration) ? IterationRange{run.first, iteration + 1} : IterationRange{iteration + 1, iteration + 1};
    if (run.end - run.first >= whole_.end - whole_.first) whole_ = run;
  }
}

IterationRange Played::steady() const {
  IterationRange range = whole_;
  if (range.end - range.first > 1) ++range.first;
  range.first = std::max(range.first, range.end - 2);
  return range;
}

int Played::last_update(std::int64_t iteration) const {
  int last = -1;
  for (std::size_t worker = 0; worker < programs_.size(); ++worker) {
    const std::vector<Op>& ops = programs_[worker].ops;
    const auto update = std::find_if(ops.begin(), ops.end(), [](const Op& op) { return is_update(op.kind); });
    if (update == ops.end()) continue;
    const int index = find(static_cast<int>(worker), iteration, static_cast<int>(update - ops.begin()));
    if (index < 0) return -1;
    if (last < 0 || at(index).event.end > at(last).event.end) last = index;
  }
  return last;
}

std::optional<Seconds> Played::updated(std::int64_t iteration) const {
  const int update = last_update(iteration);
  if (update < 0) return std::nullopt;
  return at(update).event.end;
}

void Played::find_waits(LaneWidth widths) {
  std::map<ObjectName, std::pair<int, int>> producers;  // Worker and operation that upload an object.
  for (std::size_t worker = 0; worker < programs_.size(); ++worker)
    for (int i = 0; i < std::ssize(programs_[worker].ops); ++i) {
      const Op& op = programs_[worker].ops[static_cast<std::size_t>(i)];
      if (is_producer(op.kind)) producers.emplace(op.object, std::pair(static_cast<int>(worker), i));
    }
  const auto waited = [&](PlayedOp& played, WaitedFor what, int after) {
    if (after < 0) return;
    if (played.after >= 0 && at(after).event.end <= at(played.after).event.end) return;
    played.waited_for = what;
    played.after = after;
  };
  for (std::size_t worker = 0; worker < programs_.size(); ++worker) {
    const Program& program = programs_[worker];
    const auto index_of = [&](std::int64_t iteration, int op) { return find(static_cast<int>(worker), iteration, op); };
    std::vector<int> lasts;  // By iteration: the operation that ended last; -1 if some were not traced.
    for (std::int64_t iteration = first_; iteration < first_ + iterations_; ++iteration) {
      int last = -1;
      for (int op = 0; op < std::ssize(program.ops); ++op) {
        const int index = index_of(iteration, op);
        if (index < 0) {
          last = -1;
          break;
        }
        if (last < 0 || at(index).event.end > at(last).event.end) last = index;
      }
      lasts.push_back(last);
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      // The operations that have a place on the lane, with the first to end on top.
      using Holder = std::pair<Seconds, int>;
      std::priority_queue<Holder, std::vector<Holder>, std::greater<>> holders;
      for (std::int64_t iteration = first_; iteration < first_ + iterations_; ++iteration) {
        for (const int op : program.lanes[static_cast<std::size_t>(lane)]) {
          const int index = index_of(iteration, op);
          if (index < 0) continue;
          PlayedOp& played = ops_[static_cast<std::size_t>(index)];
          const Op& what = program.ops[static_cast<std::size_t>(op)];
          for (const Dependency& dependency : what.after)
            waited(played, WaitedFor::dependency, index_of(iteration - dependency.iterations_back, dependency.op));
          if (std::ssize(holders) == widths[static_cast<std::size_t>(lane)]) {
            waited(played, WaitedFor::lane, holders.top().second);
            holders.pop();
          }
          holders.emplace(played.event.end, index);
          if (iteration - 2 >= first_)
            waited(played, WaitedFor::iteration, lasts[static_cast<std::size_t>(iteration - 2 - first_)]);
          if (!is_consumer(what.kind)) continue;
          const auto producer = producers.find(what.object);
          if (producer == producers.end()) continue;
          const int upload = find(producer->second.first, iteration, producer->second.second);
          waited(played, WaitedFor::object, upload);
          if (played.event.asked || upload >= 0)
            played.active =
                std::clamp(played.event.asked.value_or(upload >= 0 ? at(upload).event.end : played.event.start),
                           played.event.start, played.event.end);
        }
      }
    }
  }
}

}  // namespace funcpipe
