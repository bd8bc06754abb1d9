#include "timeline/picture_rows.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace funcpipe {
namespace {

constexpr double kBetweenLanes = 2, kBetweenWorkers = 9;  // pixels
// Times in a trace are rounded to microseconds, so an operation may seem to begin this long before another one ends.
constexpr Seconds kRounding = 1e-6;

// Chooses the workers to show: those on the critical path, then others in order of their replica.
std::vector<int> shown(const Played& played, const CriticalPath& path, int most) {
  std::set<int> chosen;
  const auto choose = [&](int worker) {
    if (std::ssize(chosen) < most) chosen.insert(worker);
  };
  for (auto step = path.steps.rbegin(); step != path.steps.rend(); ++step) choose(played.at(step->op).worker);
  std::vector<int> all(played.programs().size());
  std::iota(all.begin(), all.end(), 0);
  std::stable_sort(all.begin(), all.end(), [&](int a, int b) {
    const auto replica = [&](int worker) { return played.programs()[static_cast<std::size_t>(worker)].worker.replica; };
    return replica(a) < replica(b);
  });
  for (const int worker : all) choose(worker);
  return {chosen.begin(), chosen.end()};
}

}  // namespace

PictureRows::PictureRows(const Played& played, const CriticalPath& path, int most_workers, double top) : bottom_(top) {
  const std::vector<int> workers = shown(played, path, most_workers);
  compute_height_ = workers.size() <= 8 ? 22 : workers.size() <= 16 ? 16 : 12;
  transfer_height_ = workers.size() <= 8 ? 9 : workers.size() <= 16 ? 6 : 4;
  for (const int worker : workers) {
    WorkerRows& rows = workers_.emplace_back();
    rows.worker = worker;
    place(played, path, rows);
  }
}

void PictureRows::place(const Played& played, const CriticalPath& path, WorkerRows& rows) {
  const std::span<const PlayedOp> ops = played.ops_of(rows.worker);
  const auto first = static_cast<int>(ops.data() - played.ops().data());
  for (const Lane lane : {Lane::compute, Lane::download, Lane::upload}) {
    std::vector<int> active;
    for (int i = 0; i < std::ssize(ops); ++i) {
      const PlayedOp& op = ops[static_cast<std::size_t>(i)];
      if (played.lane(op) == lane && op.event.end > path.from && op.active < path.to) active.push_back(first + i);
    }
    std::stable_sort(active.begin(), active.end(),
                     [&](int a, int b) { return played.at(a).active < played.at(b).active; });
    std::vector<std::vector<int>> stacked;  // Operations by row.
    for (const int op : active) {
      const auto free = std::find_if(stacked.begin(), stacked.end(), [&](const std::vector<int>& row) {
        return played.at(row.back()).event.end <= played.at(op).active + kRounding;
      });
      (free == stacked.end() ? stacked.emplace_back() : *free).push_back(op);
    }
    const double height = lane == Lane::compute ? compute_height_ : transfer_height_;
    const double count = static_cast<double>(std::max<std::size_t>(stacked.size(), 1));
    rows.lanes[static_cast<std::size_t>(lane)] = {bottom_, height * count};
    for (std::size_t i = 0; i < stacked.size(); ++i)
      for (const int op : stacked[i]) {
        rows_[op] = {bottom_ + height * static_cast<double>(i), height};
        rows.ops.push_back(op);
      }
    bottom_ += height * count + kBetweenLanes;
  }
  bottom_ += kBetweenWorkers - kBetweenLanes;
}

const Row* PictureRows::row_of(int op) const {
  const auto found = rows_.find(op);
  return found == rows_.end() ? nullptr : &found->second;
}

}  // namespace funcpipe
