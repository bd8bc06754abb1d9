#include "simulator/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::size_t kKeysPerDelete = 1000;  // As in store/s3_store.cpp.

tl::unexpected<Error> unlinked(const ObjectName& name, const std::string& what) {
  return fail(ErrorCode::failed, what, to_string(name));
}

}  // namespace

void SimulatedFleet::add(const Program& program, WorkerModel model, const std::vector<double>& costs) {
  const auto size = static_cast<std::uint32_t>(program.ops.size());
  FUNCPIPE_CHECK(costs.size() == size, "{} costs for {} operations", costs.size(), size);
  const std::int32_t index = this->size();
  programs_.add(program);
  Worker worker{.id = program.worker,
                .model = std::move(model),
                .first_op = static_cast<std::uint32_t>(ops_.size()),
                .first_wait = waits_};
  std::vector<std::pair<ObjectName, double>> sizes;  // Bytes of the objects that it publishes.
  for (std::uint32_t i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    const OpTraits& of = traits(op.kind);
    FleetOp flat{.cost = costs[i], .kind = op.kind, .lane = of.lane, .store = of.store, .updates = is_update(op.kind)};
    const auto self = static_cast<std::int32_t>(i);
    if (of.store == StoreRequest::publish) {
      produced_.push_back({op.object, index, self});
      sizes.emplace_back(op.object, costs[i]);
    }
    if (of.store == StoreRequest::take) {
      consumed_.push_back({op.object, index, self});
      flat.wait = waits_++;
    }
    worker.updates |= flat.updates;
    if (of.store == StoreRequest::remove) {
      flat.release_age = static_cast<std::uint8_t>(op.release_age);
      flat.requests = static_cast<std::uint16_t>((op.released.size() + kKeysPerDelete - 1) / kKeysPerDelete);
    }
    ops_.push_back(flat);
  }
  std::sort(sizes.begin(), sizes.end());
  for (std::uint32_t i = 0; i < size; ++i) {
    if (ops_[worker.first_op + i].store != StoreRequest::remove) continue;
    double& bytes = ops_[worker.first_op + i].cost = 0;
    for (const ObjectName& name : program.ops[i].released) {
      const auto own =
          std::lower_bound(sizes.begin(), sizes.end(), name,
                           [](const auto& known, const ObjectName& wanted) { return known.first < wanted; });
      if (own != sizes.end() && own->first == name) bytes += own->second;
    }
  }
  worker.waits = waits_ - worker.first_wait;
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
