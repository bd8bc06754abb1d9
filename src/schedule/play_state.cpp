#include "schedule/play_state.h"

#include <algorithm>

namespace funcpipe {

PlayState::PlayState(const FlatPrograms& programs, LaneWidths widths, bool keep_ready)
    : programs_(programs),
      width_(2 + static_cast<std::uint32_t>(widths.download) + static_cast<std::uint32_t>(widths.upload)),
      lanes_{0, 1, 1 + static_cast<std::uint32_t>(widths.download), width_ - 1},
      states_(static_cast<std::size_t>(programs.size())),
      tasks_(static_cast<std::size_t>(programs.size()) * width_),
      remaining_(static_cast<std::size_t>(programs.operations()) * kSlots) {
  if (keep_ready) ready_.resize(remaining_.size());
}

void PlayState::reset(int worker, std::int64_t iteration) {
  const FlatPrograms::Worker& of = programs_.worker(worker);
  const auto from = programs_.dependencies().begin() + of.first_op;
  std::copy(from, from + of.ops, remaining_.begin() + static_cast<std::ptrdiff_t>(slot(worker, iteration)));
  State& state = states_[static_cast<std::size_t>(worker)];
  state.left[static_cast<std::size_t>(iteration % kSlots)] = of.ops;
  if (!ready_.empty())
    std::fill_n(ready_.begin() + static_cast<std::ptrdiff_t>(slot(worker, iteration)), of.ops, state.began);
}

void PlayState::begin(int worker, std::int64_t first, std::int64_t end, Seconds now) {
  const FlatPrograms::Worker& of = programs_.worker(worker);
  State& state = states_[static_cast<std::size_t>(worker)];
  state = {.end = end, .began = now, .oldest = first};
  state.iteration.fill(first);
  for (int ahead = 0; ahead < kSlots; ++ahead) reset(worker, first + ahead);
  // Dependencies on the iteration before the first one are met.
  const std::size_t at = slot(worker, first);
  for (std::uint32_t i = 0; i < of.ops; ++i) {
    const std::uint32_t op = of.first_op + i;
    for (const Successor* next = programs_.successors(op); next != programs_.successors_end(op); ++next)
      if (next->next_iteration) --remaining_[at + next->op];
  }
  const std::uint32_t base = static_cast<std::uint32_t>(worker) * width_;
  for (int lane = 0; lane < kLanes; ++lane)
    for (std::uint32_t i = lanes_[lane]; i < lanes_[lane + 1]; ++i)
      hand_out(worker, base + i, static_cast<Lane>(lane), now);
}

void PlayState::hand_out(int worker, std::uint32_t connection, Lane lane, Seconds now) {
  const FlatPrograms::Worker& of = programs_.worker(worker);
  State& state = states_[static_cast<std::size_t>(worker)];
  const auto l = static_cast<std::size_t>(lane);
  const std::uint32_t size = of.lanes[l + 1] - of.lanes[l];
  Task& task = tasks_[connection];
  if (size == 0 || state.iteration[l] >= state.end) {
    task.op = -1;
    return;
  }
  task.op = programs_.lane_ops()[of.lanes[l] + state.position[l]];
  task.iteration = state.iteration[l];
  task.waiting = true;
  if (++state.position[l] == size) {
    state.position[l] = 0;
    ++state.iteration[l];
  }
  start_if_ready(worker, connection, now);
}

void PlayState::start_if_ready(int worker, std::uint32_t connection, Seconds now) {
  Task& task = tasks_[connection];
  if (task.iteration > state(worker).oldest + 1) return;
  const std::size_t at = slot(worker, task.iteration) + static_cast<std::size_t>(task.op);
  if (remaining_[at] != 0) return;
  task.waiting = false;
  task.ready = ready_.empty() ? now : ready_[at];
  task.start = now;
  started.push_back(connection);
}

void PlayState::met(int worker, std::uint32_t op, std::int64_t iteration, Seconds now) {
  const std::size_t at = slot(worker, iteration) + op;
  // Threads may report two ends in another order than the ends happened.
  if (!ready_.empty()) ready_[at] = std::max(ready_[at], now);
  if (--remaining_[at] != 0) return;
  const FlatPrograms::Worker& of = programs_.worker(worker);
  const auto lane = static_cast<std::size_t>(programs_.lane(of.first_op + op));
  const std::uint32_t base = static_cast<std::uint32_t>(worker) * width_;
  for (std::uint32_t i = base + lanes_[lane]; i < base + lanes_[lane + 1]; ++i) {
    const Task& task = tasks_[i];
    if (task.waiting && task.op == static_cast<std::int32_t>(op) && task.iteration == iteration)
      return start_if_ready(worker, i, now);
  }
}

void PlayState::done(std::uint32_t connection, Seconds now) {
  const int worker = worker_of(connection);
  const FlatPrograms::Worker& of = programs_.worker(worker);
  State& state = states_[static_cast<std::size_t>(worker)];
  const auto [own, waiting, iteration, ready, start] = tasks_[connection];
  const std::uint32_t op = of.first_op + static_cast<std::uint32_t>(own);
  remaining_[slot(worker, iteration) + static_cast<std::size_t>(own)] = kDone;
  --state.left[static_cast<std::size_t>(iteration % kSlots)];
  tasks_[connection].op = -1;

  for (const Successor* next = programs_.successors(op); next != programs_.successors_end(op); ++next)
    met(worker, next->op, iteration + next->next_iteration, now);
  if (iteration == state.oldest && state.left[static_cast<std::size_t>(iteration % kSlots)] == 0) {
    while (state.oldest < state.end && state.left[static_cast<std::size_t>(state.oldest % kSlots)] == 0) {
      reset(worker, state.oldest + kSlots);
      ++state.oldest;
    }
    const std::uint32_t base = static_cast<std::uint32_t>(worker) * width_;
    for (std::uint32_t i = base; i < base + width_ - 1; ++i)
      if (tasks_[i].op >= 0 && tasks_[i].waiting) start_if_ready(worker, i, now);
  }
  hand_out(worker, connection, programs_.lane(op), now);
}

}  // namespace funcpipe
