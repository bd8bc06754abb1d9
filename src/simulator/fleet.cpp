#include "simulator/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::size_t kKeysPerDelete = 1000;  // as store/s3_store.cpp

tl::unexpected<Error> unlinked(const ObjectName& name, const std::string& what) {
  return fail(ErrorCode::failed, what, to_string(name));
}

}  // namespace

void SimulatedFleet::add(const Program& program, WorkerModel model, const std::vector<double>& costs) {
  const auto size = static_cast<std::uint32_t>(program.ops.size());
  FUNCPIPE_CHECK(costs.size() == size, "{} costs for {} operations", costs.size(), size);
  const std::int32_t index = this->size();
  Worker worker{.id = program.worker, .model = std::move(model), .ops = size, .first_wait = waits_};
  if (!ops_.empty()) ops_.pop_back();  // the end of the successors, below
  worker.first_op = static_cast<std::uint32_t>(ops_.size());

  std::vector<std::uint32_t> ends(size + 1, 0);  // of each operation's successors, counted from its worker's first
  for (const Op& op : program.ops)
    for (const Dependency& dependency : op.after) ++ends[static_cast<std::size_t>(dependency.op) + 1];
  for (std::uint32_t i = 0; i < size; ++i) ends[i + 1] += ends[i];
  const auto first_successor = static_cast<std::uint32_t>(successors_.size());
  successors_.resize(first_successor + ends[size]);
  std::vector<std::uint32_t> next(ends.begin(), ends.end() - 1);
  std::vector<std::pair<ObjectName, double>> sizes;  // of what it publishes
  for (std::uint32_t i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    FleetOp flat{.cost = costs[i], .successors = first_successor + ends[i], .kind = op.kind, .lane = lane_of(op.kind)};
    const auto self = static_cast<std::int32_t>(i);
    if (is_producer(op.kind)) {
      produced_.push_back({op.object, index, self});
      sizes.emplace_back(op.object, costs[i]);
    }
    if (is_consumer(op.kind)) {
      consumed_.push_back({op.object, index, self});
      flat.wait = waits_++;
    }
    if (op.kind == OpKind::update) worker.updates = true;
    if (op.kind == OpKind::release) {
      flat.release_age = static_cast<std::uint8_t>(op.release_age);
      flat.requests = static_cast<std::uint16_t>((op.released.size() + kKeysPerDelete - 1) / kKeysPerDelete);
    }
    ops_.push_back(flat);
    dependencies_.push_back(static_cast<std::int32_t>(op.after.size()));
    for (const Dependency& dependency : op.after) {
      FUNCPIPE_CHECK(dependency.iterations_back == 0 || dependency.iterations_back == 1, "a dependency {} back",
                     dependency.iterations_back);
      successors_[first_successor + next[static_cast<std::size_t>(dependency.op)]++] = {
          i, static_cast<std::uint32_t>(dependency.iterations_back)};
    }
  }
  ops_.push_back({.successors = static_cast<std::uint32_t>(successors_.size())});
  std::sort(sizes.begin(), sizes.end());
  for (std::uint32_t i = 0; i < size; ++i) {
    if (program.ops[i].kind != OpKind::release) continue;
    double& bytes = ops_[worker.first_op + i].cost = 0;
    for (const ObjectName& name : program.ops[i].released) {
      const auto own =
          std::lower_bound(sizes.begin(), sizes.end(), name,
                           [](const auto& known, const ObjectName& wanted) { return known.first < wanted; });
      if (own != sizes.end() && own->first == name) bytes += own->second;
    }
  }
  worker.waits = waits_ - worker.first_wait;
  for (int lane = 0; lane < kLanes; ++lane) {
    worker.lanes[static_cast<std::size_t>(lane)] = static_cast<std::uint32_t>(lane_ops_.size());
    lane_ops_.insert(lane_ops_.end(), program.lanes[lane].begin(), program.lanes[lane].end());
  }
  worker.lanes[kLanes] = static_cast<std::uint32_t>(lane_ops_.size());
  workers_.push_back(std::move(worker));
}

Result<> SimulatedFleet::link() {
  const auto by_name = [](const Object& a, const Object& b) { return a.name < b.name; };
  std::sort(produced_.begin(), produced_.end(), by_name);
  const auto twice = std::adjacent_find(produced_.begin(), produced_.end(),
                                        [](const Object& a, const Object& b) { return a.name == b.name; });
  if (twice != produced_.end()) return unlinked(twice->name, "two workers publish this object");
  for (const Object& wanted : consumed_) {
    const auto found = std::lower_bound(produced_.begin(), produced_.end(), wanted, by_name);
    if (found == produced_.end() || found->name != wanted.name)
      return unlinked(wanted.name, fmt::format("{} waits for it and nobody publishes it",
                                               to_string(workers_[static_cast<std::size_t>(wanted.worker)].id)));
    FleetOp& op = ops_[workers_[static_cast<std::size_t>(wanted.worker)].first_op + wanted.op];
    op.producer_worker = found->worker;
    op.producer_op = found->op;
  }
  produced_ = {};
  consumed_ = {};
  return {};
}

}  // namespace funcpipe
