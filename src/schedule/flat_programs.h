// Programs of one worker or of many as flat arrays of numbers: what plays them (schedule/play_state.h) walks these. A
// program is not needed any more once it is added.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

// An operation of the same worker that waits for this one.
struct Successor {
  std::uint32_t op : 31;  // counted from its worker's first
  std::uint32_t next_iteration : 1;
};

// Once all are added it does not change, and any thread may read.
class FlatPrograms {
 public:
  struct Worker {
    std::uint32_t first_op = 0, ops = 0;            // of all operations
    std::array<std::uint32_t, kLanes + 1> lanes{};  // where each lane's operations begin in lane_ops(), and the end
  };

  // Dependencies reach at most one iteration back. Workers are counted in the order in which they are added.
  void add(const Program& program);

  int size() const { return static_cast<int>(workers_.size()); }
  const Worker& worker(int index) const { return workers_[static_cast<std::size_t>(index)]; }
  std::int64_t operations() const { return static_cast<std::int64_t>(dependencies_.size()); }  // of an iteration

  // Of an operation, counted over all workers:
  Lane lane(std::uint32_t op) const { return nodes_[op].lane; }
  std::int32_t dependencies(std::uint32_t op) const { return dependencies_[op]; }  // how many it waits for
  const Successor* successors(std::uint32_t op) const { return successors_.data() + nodes_[op].first_successor; }
  const Successor* successors_end(std::uint32_t op) const {
    return successors_.data() + nodes_[op + 1].first_successor;
  }

  const std::vector<std::int32_t>& dependencies() const { return dependencies_; }
  // In issue order; counted from their worker's first.
  const std::vector<std::int32_t>& lane_ops() const { return lane_ops_; }

 private:
  std::vector<Worker> workers_;
  std::vector<std::int32_t> dependencies_;
  // What is read when an operation ends lies together.
  struct Node {
    std::uint32_t first_successor = 0;
    Lane lane = Lane::compute;
  };
  std::vector<Node> nodes_{1};  // of each operation, and the end of the last one's successors
  std::vector<Successor> successors_;
  std::vector<std::int32_t> lane_ops_;
};

}  // namespace funcpipe
