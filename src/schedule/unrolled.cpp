#include "schedule/unrolled.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {

bool is_producer(OpKind kind) {
  return kind == OpKind::send_activation || kind == OpKind::send_gradient || kind == OpKind::publish ||
         kind == OpKind::publish_buffers;
}

bool is_consumer(OpKind kind) {
  return kind == OpKind::receive_activation || kind == OpKind::receive_gradient || kind == OpKind::fetch_buffers ||
         kind == OpKind::fetch || kind == OpKind::fetch_into;
}

Unrolled::Unrolled(const std::vector<Program>& programs) : programs_(programs) {
  offsets_.push_back(0);
  std::map<ObjectName, OpPlace> producers;
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    const int size = static_cast<int>(programs[p].ops.size());
    offsets_.push_back(offsets_.back() + size * kUnrolledIterations);
    for (int i = 0; i < size; ++i) {
      if (is_producer(programs[p].ops[i].kind)) producers[programs[p].ops[i].object] = {p, i};
    }
  }
  before_.resize(nodes());
  lane_before_.assign(nodes(), -1);
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    const Program& program = programs[p];
    for (int t = 0; t < kUnrolledIterations; ++t) {
      for (int i = 0; i < static_cast<int>(program.ops.size()); ++i) {
        const Op& op = program.ops[i];
        std::vector<int>& before = before_[node({p, i}, t)];
        for (const Dependency& dependency : op.after) {
          const int iteration = t - dependency.iterations_back;
          if (iteration >= 0) before.push_back(node({p, dependency.op}, iteration));
        }
        if (is_consumer(op.kind)) {
          if (const auto producer = producers.find(op.object); producer != producers.end()) {
            before.push_back(node(producer->second, t));
          }
        }
      }
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      int last = -1;
      for (int t = 0; t < kUnrolledIterations; ++t) {
        for (const int i : program.lanes[lane]) {
          const int current = node({p, i}, t);
          if (last >= 0 && lane == static_cast<int>(Lane::compute)) before_[current].push_back(last);
          if (last >= 0 && lane != static_cast<int>(Lane::compute)) lane_before_[current] = last;
          last = current;
        }
      }
    }
  }
}

int Unrolled::node(OpPlace place, int iteration) const {
  return offsets_[place.program] + iteration * static_cast<int>(programs_[place.program].ops.size()) + place.op;
}

std::string Unrolled::name(int node) const {
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), node);
  const auto p = static_cast<std::size_t>(next - offsets_.begin() - 1);
  const int size = static_cast<int>(programs_[p].ops.size());
  const int i = (node - offsets_[p]) % size;
  const Op& op = programs_[p].ops[i];
  std::string what(to_string(op.kind));
  if (is_producer(op.kind) || is_consumer(op.kind)) what += " " + to_string(op.object);
  return fmt::format("{}: {} (operation {}) of iteration {}", to_string(programs_[p].worker), what, i,
                     (node - offsets_[p]) / size);
}

std::vector<int> Unrolled::cycle() const {
  // Takes away nodes without anything before them until none is left, or only nodes on or behind a cycle.
  std::vector<int> waiting(nodes(), 0);
  std::vector<std::vector<int>> after(nodes());
  for (int v = 0; v < nodes(); ++v) {
    for (const int u : before_[v]) after[u].push_back(v);
    if (lane_before_[v] >= 0) after[lane_before_[v]].push_back(v);
    waiting[v] = static_cast<int>(before_[v].size()) + (lane_before_[v] >= 0 ? 1 : 0);
  }
  std::vector<int> free;
  for (int v = 0; v < nodes(); ++v) {
    if (waiting[v] == 0) free.push_back(v);
  }
  int taken = 0;
  while (!free.empty()) {
    const int u = free.back();
    free.pop_back();
    ++taken;
    for (const int v : after[u]) {
      if (--waiting[v] == 0) free.push_back(v);
    }
  }
  if (taken == nodes()) return {};

  // Every node left has one before it that is left too: going back from any comes round.
  int current = 0;
  while (waiting[current] == 0) ++current;
  std::vector<int> visited_at(nodes(), -1);
  std::vector<int> path;
  while (visited_at[current] < 0) {
    visited_at[current] = static_cast<int>(path.size());
    path.push_back(current);
    int next = lane_before_[current] >= 0 && waiting[lane_before_[current]] > 0 ? lane_before_[current] : -1;
    for (const int u : before_[current]) {
      if (waiting[u] > 0) next = u;
    }
    current = next;
  }
  path.erase(path.begin(), path.begin() + visited_at[current]);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<bool> Unrolled::ancestors(int node) const {
  std::vector<bool> marked(nodes(), false);
  std::vector<int> open{node};
  marked[node] = true;
  while (!open.empty()) {
    const int v = open.back();
    open.pop_back();
    for (const int u : before_[v]) {
      if (marked[u]) continue;
      marked[u] = true;
      open.push_back(u);
    }
  }
  return marked;
}

}  // namespace funcpipe
