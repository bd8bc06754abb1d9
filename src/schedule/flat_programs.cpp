#include "schedule/flat_programs.h"

#include "base/check.h"

namespace funcpipe {

void FlatPrograms::add(const Program& program) {
  const auto size = static_cast<std::uint32_t>(program.ops.size());
  Worker worker{.first_op = static_cast<std::uint32_t>(dependencies_.size()), .ops = size};
  // By operation: first the number of its successors, later the index at which the next one is stored.
  std::vector<std::uint32_t> next(size, 0);
  for (const Op& op : program.ops)
    for (const Dependency& on : op.after) ++next[static_cast<std::size_t>(on.op)];
  std::uint32_t end = nodes_.back().first_successor;
  for (std::uint32_t& count : next) {
    const std::uint32_t first = end;
    end += count;
    count = first;
    nodes_.push_back({.first_successor = end});
  }
  successors_.resize(end);
  for (std::uint32_t i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    nodes_[worker.first_op + i].lane = lane_of(op.kind);
    dependencies_.push_back(static_cast<std::int32_t>(op.after.size()));
    for (const Dependency& on : op.after) {
      FUNCPIPE_CHECK(on.iterations_back == 0 || on.iterations_back == 1, "a dependency {} back", on.iterations_back);
      successors_[next[static_cast<std::size_t>(on.op)]++] = {i, static_cast<std::uint32_t>(on.iterations_back)};
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    worker.lanes[static_cast<std::size_t>(lane)] = static_cast<std::uint32_t>(lane_ops_.size());
    lane_ops_.insert(lane_ops_.end(), program.lanes[lane].begin(), program.lanes[lane].end());
  }
  worker.lanes[kLanes] = static_cast<std::uint32_t>(lane_ops_.size());
  workers_.push_back(worker);
}

}  // namespace funcpipe
