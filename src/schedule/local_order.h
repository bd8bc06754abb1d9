// Answers whether one operation of a worker is always done before another starts, however many operations the transfer
// lanes have in flight. That follows from the dependencies and from the order of the compute lane.
//
// The operations of the compute lane are one chain over all iterations, and nearly every order passes through it. So
// two numbers are kept for each operation: the last position of the chain that is always done before it, and the first
// one that always waits for it. They answer most questions in constant time. For the others the operation's direct
// dependencies are searched, and then all indirect ones.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

class LocalOrder {
 public:
  // Keeps the reference. The program is well formed (check_form.h).
  explicit LocalOrder(const Program& program);

  // Returns whether the dependencies within an iteration and the order of the compute lane have no cycle. If they have
  // one, no other function may be called.
  bool acyclic() const { return acyclic_; }

  // Return whether `earlier` is always done before `later` of the same iteration, or of the next one, starts.
  bool before(int earlier, int later) const { return ordered(earlier, later, 0); }
  bool before_next(int earlier, int later) const { return ordered(earlier, later, 1); }

  // Positions on the compute lane are counted from its first operation in the iteration of `op`. Those of the iteration
  // before are negative, those of the next one begin at compute_size().
  static constexpr int kNever = std::numeric_limits<int>::max() / 4;
  int compute_size() const { return static_cast<int>(compute().size()); }
  int first_after(int op) const { return first_after_[static_cast<std::size_t>(op)]; }  // kNever if there is none.
  int last_before(int op) const { return last_before_[static_cast<std::size_t>(op)]; }  // -kNever if there is none.
  bool on_compute_lane(int op) const {
    return lane_of(program_.ops[static_cast<std::size_t>(op)].kind) == Lane::compute;
  }

  std::int64_t steps() const { return steps_; }  // Operations and dependencies visited so far.

 private:
  const std::vector<int>& compute() const { return program_.lanes[static_cast<int>(Lane::compute)]; }
  bool ordered(int earlier, int later, int iterations) const;
  bool walk(int earlier, int later, int iterations) const;
  // Returns the operations in topological order of one iteration. Those on or behind a cycle are missing.
  std::vector<int> in_order();

  const Program& program_;
  bool acyclic_ = true;
  std::vector<int> position_;  // By operation: its position on the compute lane, or -1 on another lane.
  // By operation. For one on the compute lane both are its own position.
  std::vector<int> first_after_, last_before_;
  mutable std::vector<std::uint32_t> seen_;  // By operation of two iterations: the last walk that visited it.
  mutable std::uint32_t walks_ = 0;
  mutable std::int64_t steps_ = 0;
};

}  // namespace funcpipe
