#include "schedule/local_order.h"

#include <algorithm>
#include <array>

namespace funcpipe {

LocalOrder::LocalOrder(const Program& program) : program_(program) {
  const std::size_t size = program.ops.size();
  position_.assign(size, -1);
  for (int at = 0; at < compute_size(); ++at) position_[static_cast<std::size_t>(compute()[at])] = at;
  const std::vector<int> order = in_order();
  acyclic_ = order.size() == size;
  if (!acyclic_) return;

  // Computes last_before for iteration 0, and then for iteration 1 with the dependencies on iteration 0. Positions are
  // counted from iteration 0's first.
  const int lane = compute_size();
  std::array<std::vector<int>, 2> last;
  for (int t = 0; t < 2; ++t) {
    last[t].assign(size, -kNever);
    for (const int op : order) {
      int& latest = last[t][static_cast<std::size_t>(op)];
      if (position_[op] >= 0) {
        latest = position_[op] + t * lane;
        continue;
      }
      for (const Dependency& on : program.ops[op].after)
        if (t >= on.iterations_back) latest = std::max(latest, last[t - on.iterations_back][on.op]);
      steps_ += 1 + std::ssize(program.ops[op].after);
    }
  }
  std::array<std::vector<int>, 2> first;
  for (int t = 1; t >= 0; --t) {
    first[t].assign(size, kNever);
    for (int op = 0; op < static_cast<int>(size); ++op)
      if (position_[op] >= 0) first[t][op] = position_[op] + t * lane;
  }
  // Computes first_after backwards: an operation's value is known once those of all its successors are.
  for (int t = 1; t >= 0; --t) {
    for (auto op = order.rbegin(); op != order.rend(); ++op) {
      const int mine = first[t][*op];
      for (const Dependency& on : program.ops[*op].after) {
        if (t < on.iterations_back) continue;
        int& earliest = first[t - on.iterations_back][on.op];
        if (position_[on.op] < 0) earliest = std::min(earliest, mine);
      }
      steps_ += 1 + std::ssize(program.ops[*op].after);
    }
  }
  first_after_ = std::move(first[0]);
  last_before_ = std::move(last[1]);
  for (int& latest : last_before_)
    if (latest > -kNever) latest -= lane;
}

std::vector<int> LocalOrder::in_order() {
  const std::size_t size = program_.ops.size();
  std::vector<int> waits(size, 0), first_successor(size + 1, 0);
  const auto each = [&](auto&& edge) {
    for (int op = 0; op < static_cast<int>(size); ++op)
      for (const Dependency& on : program_.ops[op].after)
        if (on.iterations_back == 0) edge(on.op, op);
    for (int at = 1; at < compute_size(); ++at) edge(compute()[at - 1], compute()[at]);
  };
  each([&](int from, int to) {
    ++first_successor[static_cast<std::size_t>(from) + 1];
    ++waits[to];
  });
  for (std::size_t op = 0; op < size; ++op) first_successor[op + 1] += first_successor[op];
  std::vector<int> successors(static_cast<std::size_t>(first_successor[size])), next = first_successor;
  each([&](int from, int to) { successors[static_cast<std::size_t>(next[from]++)] = to; });
  std::vector<int> order;
  order.reserve(size);
  for (int op = 0; op < static_cast<int>(size); ++op)
    if (waits[op] == 0) order.push_back(op);
  for (std::size_t done = 0; done < order.size(); ++done)
    for (int i = first_successor[order[done]]; i < first_successor[order[done] + 1]; ++i)
      if (--waits[successors[i]] == 0) order.push_back(successors[i]);
  steps_ += static_cast<std::int64_t>(size) + first_successor[size];
  return order;
}

bool LocalOrder::ordered(int earlier, int later, int iterations) const {
  ++steps_;
  if (position_[earlier] >= 0 && position_[later] >= 0)
    return position_[earlier] < position_[later] + iterations * compute_size();
  if (first_after_[earlier] <= last_before_[later] + iterations * compute_size()) return true;
  for (const Dependency& on : program_.ops[later].after) {
    ++steps_;
    if (on.op == earlier && on.iterations_back == iterations) return true;
  }
  return walk(earlier, later, iterations);
}

// Walks the dependencies back from `later`, no further than the iteration of `earlier`.
bool LocalOrder::walk(int earlier, int later, int iterations) const {
  const std::size_t size = program_.ops.size();
  seen_.resize(2 * size, 0);
  ++walks_;
  std::vector<int> open{later + iterations * static_cast<int>(size)};
  const auto visit = [&](int op, int iteration) {
    std::uint32_t& seen = seen_[static_cast<std::size_t>(op) + static_cast<std::size_t>(iteration) * size];
    if (seen == walks_) return;
    seen = walks_;
    open.push_back(op + iteration * static_cast<int>(size));
  };
  while (!open.empty()) {
    const int op = open.back() % static_cast<int>(size), iteration = open.back() / static_cast<int>(size);
    open.pop_back();
    ++steps_;
    if (op == earlier && iteration == 0 && (op != later || iterations > 0)) return true;
    for (const Dependency& on : program_.ops[op].after)
      if (iteration >= on.iterations_back) visit(on.op, iteration - on.iterations_back);
    if (position_[op] > 0) visit(compute()[position_[op] - 1], iteration);
    if (position_[op] == 0 && iteration > 0) visit(compute().back(), iteration - 1);
  }
  return false;
}

}  // namespace funcpipe
