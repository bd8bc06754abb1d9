// How programs are played, without a clock and without threads: lanes hand out their operations in issue order, up to
// `width` of a transfer lane wait or run at once, each starts when its dependencies are done, and none before the
// iteration two before its own is done in whole. So operations of two iterations are under way at once, no more.
//
// Whoever drives it says that an operation is done, and is told which may run now; what an operation does and how long
// it takes is the driver's. The worker drives it with threads (worker/player.h), the simulator with events.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedule/flat_programs.h"

namespace funcpipe {

// Operations that a lane of transfers has in flight.
struct LaneWidths {
  int download = 4;
  int upload = 4;
};

// What a connection (the one of the compute lane, or one of a lane of transfers) has in hand.
struct Task {
  std::int32_t op = -1;  // -1: nothing
  bool waiting = false;  // for its dependencies
  std::int64_t iteration = 0;
  Seconds ready = 0;  // its dependencies were met; kept where asked for
  Seconds start = 0;
};

// Not thread-safe.
class PlayState {
 public:
  // Keeps a reference. `keep_ready`: whether Task::ready is wanted, which takes memory.
  PlayState(const FlatPrograms& programs, LaneWidths widths, bool keep_ready);

  // Iterations [first, end) of a worker whose earlier ones are all played.
  void begin(int worker, std::int64_t first, std::int64_t end, Seconds now);
  // The operation in this connection's hand is done.
  void done(std::uint32_t connection, Seconds now);

  // Connections whose operation may run now, in the order they got so far. The driver takes them out.
  std::vector<std::uint32_t> started;

  const Task& task(std::uint32_t connection) const { return tasks_[connection]; }
  int worker_of(std::uint32_t connection) const { return static_cast<int>(connection / width_); }
  // Every worker has one more connection, for what it does outside its program.
  std::uint32_t spare_connection(int worker) const { return (static_cast<std::uint32_t>(worker) + 1) * width_ - 1; }
  std::uint32_t connections() const { return static_cast<std::uint32_t>(tasks_.size()); }

  bool all_played(int worker) const { return state(worker).oldest == state(worker).end; }
  std::int64_t played(int worker) const { return state(worker).oldest; }  // iterations that are done in whole
  bool is_done(int worker, std::int32_t op, std::int64_t iteration) const {
    const State& of = state(worker);
    if (iteration < of.oldest) return true;
    return iteration <= of.oldest + 1 && iteration < of.end && remaining_[slot(worker, iteration) + op] == kDone;
  }

 private:
  static constexpr std::int32_t kDone = -1;
  // Operations of two iterations may be under way, and what they end counts for the one after.
  static constexpr int kSlots = 3;

  struct State {
    std::int64_t end = 0;
    Seconds began = 0;
    std::int64_t oldest = 0;                       // the first iteration that is not done in whole
    std::array<std::uint32_t, kSlots> left{};      // operations that are not done, by slot
    std::array<std::int64_t, kLanes> iteration{};  // of the next operation a lane hands out
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
  const std::uint32_t width_;                          // connections of a worker
  const std::array<std::uint32_t, kLanes + 1> lanes_;  // its lanes' first connections, and the end
  std::vector<State> states_;
  std::vector<Task> tasks_;              // by connection
  std::vector<std::int32_t> remaining_;  // dependencies, by worker, slot, operation; or kDone
  std::vector<Seconds> ready_;           // likewise; empty if not wanted
};

}  // namespace funcpipe
