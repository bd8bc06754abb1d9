// Plays the programs of a fleet as worker/player.h plays one, without threads: lanes hand out their operations in issue
// order, up to `width` of a transfer lane wait or run at once, each starts when its dependencies are done, and none
// before the iteration two before its own is done in whole. What an operation does and how long it takes is the
// caller's.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simulator/fleet.h"

namespace funcpipe {

// What a connection (the compute thread, or one of a lane's transfer threads) has in hand.
struct Task {
  std::int32_t op = -1;  // -1: nothing
  bool waiting = false;  // for its dependencies
  std::int64_t iteration = 0;
  Seconds ready = 0;  // its dependencies were met; kept where asked for
  Seconds start = 0;
};

class Players {
 public:
  // Keeps a reference. `keep_ready`: whether Task::ready is wanted, which takes memory.
  Players(const SimulatedFleet& fleet, int download_width, int upload_width, bool keep_ready);

  // Iterations [first, end) of a worker whose earlier ones are all played.
  void begin(int worker, std::int64_t first, std::int64_t end, Seconds now);
  // The operation in this connection's hand is done.
  void done(std::uint32_t connection, Seconds now);

  // Connections whose operation may run now, in the order they got so far. The caller takes them out.
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
    const SimulatedFleet::Worker& of = fleet_.worker(worker);
    return std::size_t{of.first_op} * kSlots + static_cast<std::size_t>(iteration % kSlots) * of.ops;
  }
  void reset(int worker, std::int64_t iteration);
  void hand_out(int worker, std::uint32_t connection, Lane lane, Seconds now);
  void start_if_ready(int worker, std::uint32_t connection, Seconds now);
  void met(int worker, std::uint32_t op, std::int64_t iteration, Seconds now);

  const SimulatedFleet& fleet_;
  const std::uint32_t width_;                          // connections of a worker
  const std::array<std::uint32_t, kLanes + 1> lanes_;  // its lanes' first connections, and the end
  std::vector<State> states_;
  std::vector<Task> tasks_;              // by connection
  std::vector<std::int32_t> remaining_;  // dependencies, by worker, slot, operation; or kDone
  std::vector<Seconds> ready_;           // likewise; empty if not wanted
};

}  // namespace funcpipe
