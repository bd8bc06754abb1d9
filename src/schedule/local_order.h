// Which operations of one worker are always done before another starts, whatever the lanes keep in flight: by their
// dependencies and the order of the compute lane.
//
// The compute lane is one chain over all iterations, and nearly all order passes through it. So of every operation the
// last one of the chain that is always done before it and the first one that always waits for it are kept: two numbers
// that answer in constant time. What they leave open is looked up in its direct dependencies, and then walked.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

class LocalOrder {
 public:
  // Keeps the reference; its indices are valid.
  explicit LocalOrder(const Program& program);

  // The dependencies within an iteration and the compute lane's order are free of cycles; if they are not, nothing
  // else here may be asked.
  bool acyclic() const { return acyclic_; }

  // Operation `earlier` of an iteration is done before `later` of the same one starts; or of the next one.
  bool before(int earlier, int later) const { return ordered(earlier, later, 0); }
  bool before_next(int earlier, int later) const { return ordered(earlier, later, 1); }

  // Positions on the compute lane, counted from the first one of the operation's own iteration: of the one before are
  // negative, those of the next begin at compute_size().
  static constexpr int kNever = std::numeric_limits<int>::max() / 4;
  int compute_size() const { return static_cast<int>(compute().size()); }
  int first_after(int op) const { return first_after_[static_cast<std::size_t>(op)]; }  // kNever: none
  int last_before(int op) const { return last_before_[static_cast<std::size_t>(op)]; }  // -kNever: none
  bool on_compute_lane(int op) const {
    return lane_of(program_.ops[static_cast<std::size_t>(op)].kind) == Lane::compute;
  }

  std::int64_t steps() const { return steps_; }  // operations and dependencies looked at so far

 private:
  const std::vector<int>& compute() const { return program_.lanes[static_cast<int>(Lane::compute)]; }
  bool ordered(int earlier, int later, int iterations) const;
  bool walk(int earlier, int later, int iterations) const;
  std::vector<int> in_order();  // operations, each after those of its iteration that it waits for; fewer: a cycle

  const Program& program_;
  bool acyclic_ = true;
  std::vector<int> position_;  // on the compute lane; -1: elsewhere
  // Of an operation of the compute lane: its own position.
  std::vector<int> first_after_, last_before_;
  mutable std::vector<std::uint32_t> seen_;  // by operation of two iterations: the walk that saw it
  mutable std::uint32_t walks_ = 0;
  mutable std::int64_t steps_ = 0;
};

}  // namespace funcpipe
