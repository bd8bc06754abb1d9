#include "schedule/operation_graph.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/check.h"

namespace funcpipe {

void OperationGraph::add(const Program& program, const LocalOrder& order) {
  const int first = size(), count = static_cast<int>(program.ops.size());
  FUNCPIPE_CHECK(std::int64_t{first} + count < std::int64_t{1} << 31, "{} operations and {} more", first, count);
  Worker worker{.id = program.worker, .first = first, .size = count};
  for (int i = 0; i < count; ++i) {
    const Op& op = program.ops[static_cast<std::size_t>(i)];
    kinds_.push_back(op.kind);
    object_of_.push_back(-1);
    first_after_.push_back(order.acyclic() ? order.first_after(i) : LocalOrder::kNever);
    last_before_.push_back(order.acyclic() ? order.last_before(i) : -LocalOrder::kNever);
    for (const Dependency& on : op.after)
      edges_.push_back({static_cast<std::uint32_t>(first + on.op), static_cast<std::uint32_t>(on.iterations_back)});
    first_edge_.push_back(std::ssize(edges_));
    if (is_producer(op.kind)) {
      uses_.push_back({op.object, op.slice, first + i, Role::producer, std::ssize(readers_),
                       static_cast<std::int32_t>(op.readers.size())});
      readers_.insert(readers_.end(), op.readers.begin(), op.readers.end());
    }
    if (is_consumer(op.kind)) uses_.push_back({op.object, op.slice, first + i, Role::consumer});
    if (op.released.empty()) continue;
    for (const ObjectName& name : op.released)
      uses_.push_back({name, {}, static_cast<int>(releases_.size()), Role::release});
    releases_.push_back({.op = first + i, .age = op.release_age, .objects = {}});
  }
  lane_before_.resize(kinds_.size(), -1);
  for (int lane = 0; lane < kLanes; ++lane) {
    const std::vector<int>& ops = program.lanes[lane];
    for (std::size_t i = 1; i < ops.size(); ++i)
      lane_before_[static_cast<std::size_t>(first) + static_cast<std::size_t>(ops[i])] = first + ops[i - 1];
  }
  if (const std::vector<int>& compute = program.lanes[static_cast<int>(Lane::compute)]; !compute.empty()) {
    worker.computing = static_cast<int>(compute.size());
    worker.last_compute = first + compute.back();
  }
  workers_.push_back(worker);
}

Result<> OperationGraph::link() {
  std::stable_sort(uses_.begin(), uses_.end(),
                   [](const Use& a, const Use& b) { return std::pair(a.name, a.role) < std::pair(b.name, b.role); });
  steps_ += std::ssize(uses_);
  const std::span<const Use> uses(uses_);
  const auto each_object = [&](auto&& visit) -> Result<> {
    for (std::size_t begin = 0, end = 0; begin < uses.size(); begin = end) {
      while (end < uses.size() && uses[end].name == uses[begin].name) ++end;
      FUNCPIPE_TRY_VOID(visit(uses.subspan(begin, end - begin)));
    }
    return {};
  };
  // Objects that are not published once are reported first. A misspelt name also leaves another object unread, but that
  // error would tell the user less.
  FUNCPIPE_TRY_VOID(each_object([&](std::span<const Use> all) -> Result<> {
    const std::string name = to_string(all[0].name);
    if (all.size() > 1 && all[1].role == Role::producer)
      return wrong(all[1].op, fmt::format("publishes {}, and so does operation {} of {}", name,
                                          all[0].op - workers_[worker_of(all[0].op)].first,
                                          to_string(workers_[worker_of(all[0].op)].id)));
    if (all[0].role == Role::producer) return {};
    const bool read = all[0].role == Role::consumer;
    return wrong(read ? all[0].op : releases_[all[0].op].op,
                 fmt::format("{} {}, which nobody publishes", read ? "waits for" : "releases", name));
  }));
  FUNCPIPE_TRY_VOID(each_object([&](std::span<const Use> all) { return check_uses(all); }));
  FUNCPIPE_TRY_VOID(each_object([&](std::span<const Use> all) -> Result<> {
    const int index = static_cast<int>(objects_.size());
    Object object{.name = all[0].name, .first_consumer = static_cast<int>(consumers_.size())};
    for (const Use& use : all) {
      if (use.role == Role::release) {
        releases_[use.op].objects.push_back(index);
        continue;
      }
      object_of_[use.op] = index;
      if (use.role == Role::producer) object.producer = use.op;
      if (use.role == Role::consumer) consumers_.push_back(use.op);
    }
    object.end_consumer = static_cast<int>(consumers_.size());
    objects_.push_back(object);
    return {};
  }));
  uses_ = {};
  readers_ = {};
  return {};
}

// Checks the uses of one object, which has one producer, `uses[0]`.
Result<> OperationGraph::check_uses(std::span<const Use> uses) const {
  const std::string name = to_string(uses[0].name);
  if (uses.size() == 1 || uses[1].role != Role::consumer)
    return wrong(uses[0].op, fmt::format("publishes {}, which nobody reads", name));
  if (uses.back().role != Role::release)
    return wrong(uses[0].op, fmt::format("publishes {}, which nobody releases", name));
  if (uses[uses.size() - 2].role == Role::release)
    return wrong(releases_[uses.back().op].op, fmt::format("releases {} a second time", name));
  std::vector<WorkerId> reading,
      named(readers_.begin() + uses[0].first_reader, readers_.begin() + uses[0].first_reader + uses[0].readers);
  for (const Use& use : uses)
    if (use.role == Role::consumer) reading.push_back(workers_[static_cast<std::size_t>(worker_of(use.op))].id);
  std::ranges::sort(reading);
  std::ranges::sort(named);
  if (reading != named) return wrong(uses[0].op, fmt::format("names other readers of {} than there are", name));
  // A tied parameter lies elsewhere on each stage; a shard lies in the same place on every replica.
  const Slice sent = uses[0].slice;
  for (const Use& use : uses) {
    if (use.role != Role::consumer || use.slice == sent) continue;
    if (use.name.kind == ObjectKind::tied && use.slice.elements == sent.elements) continue;
    return wrong(use.op, fmt::format("takes {} for elements {} to {}, but it holds {} to {}", name, use.slice.first,
                                     use.slice.first + use.slice.elements, sent.first, sent.first + sent.elements));
  }
  return {};
}

int OperationGraph::worker_of(int op) const {
  const auto next = std::ranges::upper_bound(workers_, op, {}, &Worker::first);
  return static_cast<int>(next - workers_.begin()) - 1;
}

std::string OperationGraph::name(int op) const {
  const Worker& worker = workers_[static_cast<std::size_t>(worker_of(op))];
  std::string what(to_string(kinds_[op]));
  if (object_of_[op] >= 0) what += " " + to_string(objects_[object_of_[op]].name);
  return fmt::format("{}: {} (operation {})", to_string(worker.id), what, op - worker.first);
}

std::string OperationGraph::place_of(int op) const {
  const Worker& worker = workers_[static_cast<std::size_t>(worker_of(op))];
  return fmt::format("program of {}, operation {} ({})", to_string(worker.id), op - worker.first,
                     to_string(kinds_[op]));
}

tl::unexpected<Error> OperationGraph::wrong(int op, std::string what) const {
  return fail(ErrorCode::failed, std::move(what), place_of(op));
}

std::vector<int> OperationGraph::cycle() {
  const auto each_before = [&](int op, auto&& visit) {
    for (std::int64_t e = first_edge_[op]; e < first_edge_[op + 1]; ++e)
      if (edges_[e].back == 0) visit(static_cast<int>(edges_[e].op));
    if (is_consumer(kinds_[op])) visit(objects_[object_of_[op]].producer);
    if (lane_before_[op] >= 0) visit(lane_before_[op]);
  };
  std::vector<int> waits(kinds_.size(), 0);
  std::vector<std::int64_t> first_successor(kinds_.size() + 1, 0);
  for (int op = 0; op < size(); ++op)
    each_before(op, [&](int before) {
      ++waits[op];
      ++first_successor[before + 1];
    });
  for (int op = 0; op < size(); ++op) first_successor[op + 1] += first_successor[op];
  std::vector<int> successors(static_cast<std::size_t>(first_successor.back()));
  for (int op = 0; op < size(); ++op)
    each_before(op, [&](int before) { successors[--first_successor[before + 1]] = op; });
  // Counting down has shifted the array: the successors of `op` now begin at first_successor[op + 1].
  std::vector<int> free;
  for (int op = 0; op < size(); ++op)
    if (waits[op] == 0) free.push_back(op);
  int taken = 0;
  while (!free.empty()) {
    const int op = free.back();
    free.pop_back();
    ++taken;
    const std::int64_t end = op + 1 < size() ? first_successor[op + 2] : std::ssize(successors);
    for (std::int64_t i = first_successor[op + 1]; i < end; ++i)
      if (--waits[successors[i]] == 0) free.push_back(successors[i]);
  }
  steps_ += 2 * (std::int64_t{size()} + std::ssize(successors));
  if (taken == size()) return {};

  // Every operation that is left waits for another one that is left, so going back from any of them ends in a cycle.
  int current = 0;
  while (waits[current] == 0) ++current;
  std::vector<int> visited_at(kinds_.size(), -1), path;
  while (visited_at[current] < 0) {
    visited_at[current] = static_cast<int>(path.size());
    path.push_back(current);
    int next = -1;
    each_before(current, [&](int before) {
      if (waits[before] > 0 && next < 0) next = before;
    });
    current = next;
  }
  path.erase(path.begin(), path.begin() + visited_at[current]);
  std::reverse(path.begin(), path.end());
  return path;
}

std::span<const int> OperationGraph::consumers(int object) const {
  const Object& of = objects_[static_cast<std::size_t>(object)];
  return std::span(consumers_).subspan(of.first_consumer, of.end_consumer - of.first_consumer);
}

bool OperationGraph::seen_by(int earlier, int later, int age) const {
  ++steps_;
  if (done_by(earlier, age, last_before_[later])) return true;
  for (std::int64_t e = first_edge_[later]; e < first_edge_[later + 1]; ++e, ++steps_)
    if (static_cast<int>(edges_[e].op) == earlier && static_cast<int>(edges_[e].back) == age) return true;
  return false;
}

OperationGraph::Past::Past(const OperationGraph& graph, int later, int age) {
  using Node = std::pair<int, int>;  // operation, iterations ago
  const auto number = [&](Node node) { return std::int64_t{node.second} * graph.size() + node.first; };
  std::unordered_set<std::int64_t> visited{number({later, 0})};
  std::vector<Node> open{{later, 0}};
  const auto visit = [&](int op, int ago) {
    if (ago <= age && visited.insert(number({op, ago})).second) open.emplace_back(op, ago);
  };
  while (!open.empty()) {
    const auto [op, ago] = open.back();
    open.pop_back();
    ++graph.steps_;
    if (ago == age) seen_.insert(op);
    for (std::int64_t e = graph.first_edge_[op]; e < graph.first_edge_[op + 1]; ++e)
      visit(static_cast<int>(graph.edges_[e].op), ago + static_cast<int>(graph.edges_[e].back));
    if (is_consumer(graph.kinds_[op])) visit(graph.objects_[graph.object_of_[op]].producer, ago);
    if (lane_of(graph.kinds_[op]) != Lane::compute) continue;
    if (graph.lane_before_[op] >= 0)
      visit(graph.lane_before_[op], ago);
    else
      visit(graph.workers_[static_cast<std::size_t>(graph.worker_of(op))].last_compute, ago + 1);
  }
}

Error OperationGraph::too_early(const Release& release, int consumer) const {
  return {.code = ErrorCode::failed,
          .message = fmt::format("releases {} of {} iterations ago, perhaps before {} has read it",
                                 to_string(objects_[object_of_[consumer]].name), release.age, name(consumer)),
          .place = place_of(release.op),
          .hint = {}};
}

}  // namespace funcpipe
