// Programs of one or many workers as flat arrays of numbers, which PlayState (schedule/play_state.h) walks. A program
// may be deleted once it is added.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

// An operation that waits for another one of the same worker.
struct Successor {
  std::uint32_t op : 31;             // Counted from its worker's first operation.
  std::uint32_t next_iteration : 1;  // It waits in the next iteration.
};

// Any number of threads may read once all programs are added.
class FlatPrograms {
 public:
  struct Worker {
    std::uint32_t first_op = 0, ops = 0;            // Its first operation, counted over all workers, and their number.
    std::array<std::uint32_t, kLanes + 1> lanes{};  // Where each lane begins in lane_ops(), and the end of the last.
  };

  // Adds a worker. Dependencies reach at most one iteration back. Workers are numbered in the order they are added.
  void add(const Program& program);

  int size() const { return static_cast<int>(workers_.size()); }
  const Worker& worker(int index) const { return workers_[static_cast<std::size_t>(index)]; }
  // Returns the number of operations of all workers in one iteration.
  std::int64_t operations() const { return static_cast<std::int64_t>(dependencies_.size()); }

  // In these, `op` is counted over all workers.
  Lane lane(std::uint32_t op) const { return nodes_[op].lane; }
  std::int32_t dependencies(std::uint32_t op) const { return dependencies_[op]; }  // Number of operations it waits for.
  const Successor* successors(std::uint32_t op) const { return successors_.data() + nodes_[op].first_successor; }
  const Successor* successors_end(std::uint32_t op) const {
    return successors_.data() + nodes_[op + 1].first_successor;
  }

  const std::vector<std::int32_t>& dependencies() const { return dependencies_; }
  // Returns the operations of all lanes in issue order, each counted from its worker's first operation.
  const std::vector<std::int32_t>& lane_ops() const { return lane_ops_; }

 private:
  std::vector<Worker> workers_;
  std::vector<std::int32_t> dependencies_;
  // Holds together what is read when an operation ends, for fewer cache misses.
  struct Node {
    std::uint32_t first_successor = 0;
    Lane lane = Lane::compute;
  };
  std::vector<Node> nodes_{1};  // One per operation, and a last one that marks the end of successors_.
  std::vector<Successor> successors_;
  std::vector<std::int32_t> lane_ops_;
};

}  // namespace funcpipe
