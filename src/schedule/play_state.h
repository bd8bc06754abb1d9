// Plays programs without a clock and without threads. Each lane hands out its operations in issue order to its
// connections: the compute lane has one, a transfer lane as many as its width. An operation starts when its
// dependencies are done and the iteration two before its own is done entirely. So operations of at most two iterations
// run at once.
//
// A driver says when an operation is done and is told which operations may run now. What an operation does and how long
// it takes is up to the driver: the worker, with threads (worker/player.h), or the simulator, with events.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedule/flat_programs.h"

namespace funcpipe {

// The most operations that a transfer lane has in flight.
struct LaneWidths {
  int download = 4;
  int upload = 4;
};

// The operation that a connection has taken up.
struct Task {
  std::int32_t op = -1;  // Counted from its worker's first; -1 means none.
  bool waiting = false;  // It waits for its dependencies.
  std::int64_t iteration = 0;
  Seconds ready = 0;  // When its dependencies were met; equal to `start` unless PlayState keeps it.
  Seconds start = 0;
};

// Not thread-safe.
class PlayState {
 public:
  // Keeps the reference. `keep_ready` records Task::ready, which takes memory.
  PlayState(const FlatPrograms& programs, LaneWidths widths, bool keep_ready);

  // Begins iterations [first, end) of a worker that has played all earlier ones.
  void begin(int worker, std::int64_t first, std::int64_t end, Seconds now);
  // The operation of this connection is done.
  void done(std::uint32_t connection, Seconds now);

  // Connections whose operation may run now, in the order in which they became ready. The driver removes them.
  std::vector<std::uint32_t> started;

  const Task& task(std::uint32_t connection) const { return tasks_[connection]; }
  int worker_of(std::uint32_t connection) const { return static_cast<int>(connection / width_); }
  // Every worker has one more connection, for requests outside its program.
  std::uint32_t spare_connection(int worker) const { return (static_cast<std::uint32_t>(worker) + 1) * width_ - 1; }
  std::uint32_t connections() const { return static_cast<std::uint32_t>(tasks_.size()); }

  bool all_played(int worker) const { return state(worker).oldest == state(worker).end; }
  std::int64_t played(int worker) const { return state(worker).oldest; }  // All iterations before it are done.
  bool is_done(int worker, std::int32_t op, std::int64_t iteration) const {
    const State& of = state(worker);
    if (iteration < of.oldest) return true;
    return iteration <= of.oldest + 1 && iteration < of.end && remaining_[slot(worker, iteration) + op] == kDone;
  }

 private:
  static constexpr std::int32_t kDone = -1;
  // Operations of two iterations may run at once, and their ends count for the dependencies of a third.
  static constexpr int kSlots = 3;

  struct State {
    std::int64_t end = 0;
    Seconds began = 0;
    std::int64_t oldest = 0;                       // The first iteration that is not done entirely.
    std::array<std::uint32_t, kSlots> left{};      // By slot: operations that are not done.
    std::array<std::int64_t, kLanes> iteration{};  // By lane: iteration and position of the next operation.
    std::array<std::uint32_t, kLanes> position{};
  };

  const State& state(int worker) const { return states_[static_cast<std::size_t>(worker)]; }
  std::size_t slot(int worker, std::int64_t iteration) const {
    const FlatPrograms::Worker& of = programs_.worker(worker);
    return std::size_t{of.first_op} * kSlots + static_cast<std::size_t>(iteration % kSlots) * of.ops;
  }
  void reset(int worker, std::int64_t iteration);
  void hand_out(int worker, std::uint32_t connection, Lane lane, Seconds now);
  void start_if_ready(int worker, std::uint32_t connection, Seconds now);
  void met(int worker, std::uint32_t op, std::int64_t iteration, Seconds now);

  const FlatPrograms& programs_;
  const std::uint32_t width_;                          // Connections of one worker.
  const std::array<std::uint32_t, kLanes + 1> lanes_;  // First connection of each lane, and the end of the last.
  std::vector<State> states_;
  std::vector<Task> tasks_;              // By connection.
  std::vector<std::int32_t> remaining_;  // Unmet dependencies by worker, slot and operation; kDone after its end.
  std::vector<Seconds> ready_;           // Latest end of a dependency, indexed like remaining_; empty if not kept.
};

}  // namespace funcpipe
