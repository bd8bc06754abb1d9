// What schedule/checker.h proves about order, by walking the graph of three iterations for every question: slow, and
// simple enough to believe. Programs are well formed, and every object is published, read and released once.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "schedule/builder.h"
#include "schedule/program.h"

namespace funcpipe::testing {

class NaiveChecker {
 public:
  explicit NaiveChecker(const std::vector<Program>& programs) : programs_(programs) {
    std::map<ObjectName, Publisher> producers;
    int nodes = 0;
    for (int p = 0; p < std::ssize(programs); ++p) {
      first_.push_back(nodes);
      nodes += kIterations * size(p);
      for (int i = 0; i < size(p); ++i)
        if (is_producer(op(p, i).kind)) producers[op(p, i).object] = {p, i};
    }
    before_.resize(static_cast<std::size_t>(nodes));
    lane_.resize(before_.size());
    for (int p = 0; p < std::ssize(programs); ++p) {
      for (int t = 0; t < kIterations; ++t)
        for (int i = 0; i < size(p); ++i) {
          for (const Dependency& on : op(p, i).after)
            if (t >= on.iterations_back) before_[node(p, i, t)].push_back(node(p, on.op, t - on.iterations_back));
          if (!is_consumer(op(p, i).kind)) continue;
          const Publisher from = producers.at(op(p, i).object);
          before_[node(p, i, t)].push_back(node(from.program, from.op, t));
        }
      for (int lane = 0; lane < kLanes; ++lane) {
        int last = -1;
        for (int t = 0; t < kIterations; ++t)
          for (const int i : programs[p].lanes[lane]) {
            auto& edges = lane == static_cast<int>(Lane::compute) ? before_ : lane_;
            if (last >= 0) edges[node(p, i, t)].push_back(last);
            last = node(p, i, t);
          }
      }
    }
  }

  bool sound() {
    if (has_cycle()) return false;
    for (int p = 0; p < std::ssize(programs_); ++p)
      if (!data_in_order(p)) return false;
    return releases_in_order();
  }

 private:
  static constexpr int kIterations = 3;
  struct Publisher {
    int program, op;
  };

  int size(int p) const { return static_cast<int>(programs_[p].ops.size()); }
  const Op& op(int p, int i) const { return programs_[p].ops[i]; }
  int node(int p, int i, int t) const { return first_[p] + t * size(p) + i; }

  bool has_cycle() const {
    std::vector<int> waits(before_.size()), free;
    std::vector<std::vector<int>> after(before_.size());
    for (int v = 0; v < std::ssize(before_); ++v)
      for (const auto* edges : {&before_[v], &lane_[v]})
        for (const int u : *edges) {
          after[u].push_back(v);
          ++waits[v];
        }
    for (int v = 0; v < std::ssize(before_); ++v)
      if (waits[v] == 0) free.push_back(v);
    std::size_t taken = 0;
    for (; taken < free.size(); ++taken)
      for (const int v : after[free[taken]])
        if (--waits[v] == 0) free.push_back(v);
    return taken < before_.size();
  }

  bool walk(int from, int to) {
    auto [known, is_new] = ancestors_.try_emplace(to);
    if (is_new) {
      known->second.assign(before_.size(), false);
      std::vector<int> open{to};
      while (!open.empty()) {
        const int v = open.back();
        open.pop_back();
        for (const int u : before_[v]) {
          if (known->second[u]) continue;
          known->second[u] = true;
          open.push_back(u);
        }
      }
    }
    return known->second[from];
  }
  // Within a worker the transfers of others do not count; the programs here are judged one by one for that.
  bool before(int p, int a, int b, int next) { return walk(node(p, a, 1), node(p, b, 1 + next)); }

  // Every two operations that touch one place, one of them writing, in the order they are listed; where the place
  // lasts, each before the other of the next iteration. What a micro-batch's operation reads has been made.
  bool data_in_order(int p) {
    NaiveChecker alone(programs_[p]);
    struct Use {
      int op;
      Place place;
      Access access;
    };
    std::vector<Use> uses;
    for (int i = 0; i < size(p); ++i)
      for (const Touch& touch : traits(op(p, i).kind))
        if (const funcpipe::Place place = place_of(touch, op(p, i), i); place.slice.elements > 0)
          uses.push_back({i, place, touch.access});
    for (const Use& b : uses) {
      bool made = lasts(b.place.buffer) && b.place.buffer != Buffer::staged;
      for (const Use& a : uses) {
        if (a.place.buffer != b.place.buffer || a.place.index != b.place.index) continue;
        made |= writes(a.access) && a.op < b.op;
        if (!(writes(a.access) || writes(b.access)) || !overlap(a.place.slice, b.place.slice)) continue;
        if (a.op < b.op && !alone.before(0, a.op, b.op, 0)) return false;
        if (lasts(a.place.buffer) && !alone.before(0, a.op, b.op, 1)) return false;
      }
      if (b.access == Access::read && !made) return false;
    }
    // The update comes after all that computes, and before the next iteration's exchange of state.
    for (int i = 0; i < size(p); ++i) {
      if (!is_update(op(p, i).kind)) continue;
      for (int j = 0; j < size(p); ++j) {
        const OpKind kind = op(p, j).kind;
        if ((kind == OpKind::forward || kind == OpKind::backward || kind == OpKind::reduce) &&
            !alone.before(0, j, i, 0))
          return false;
        if ((kind == OpKind::publish_buffers || kind == OpKind::fetch_buffers) && !alone.before(0, i, j, 1))
          return false;
      }
    }
    return true;
  }

  bool releases_in_order() {
    for (int p = 0; p < std::ssize(programs_); ++p)
      for (int i = 0; i < size(p); ++i)
        for (const ObjectName& name : op(p, i).released)
          for (int q = 0; q < std::ssize(programs_); ++q)
            for (int j = 0; j < size(q); ++j)
              if (is_consumer(op(q, j).kind) && op(q, j).object == name &&
                  !walk(node(q, j, 2 - op(p, i).release_age), node(p, i, 2)))
                return false;
    return true;
  }

  // Of one worker alone: what it receives is there.
  explicit NaiveChecker(const Program& program) : programs_(own_), own_{program}, first_{0} {
    before_.resize(program.ops.size() * kIterations);
    int last = -1;
    for (int t = 0; t < kIterations; ++t) {
      for (int i = 0; i < size(0); ++i)
        for (const Dependency& on : op(0, i).after)
          if (t >= on.iterations_back) before_[node(0, i, t)].push_back(node(0, on.op, t - on.iterations_back));
      for (const int i : program.lanes[static_cast<int>(Lane::compute)]) {
        if (last >= 0) before_[node(0, i, t)].push_back(last);
        last = node(0, i, t);
      }
    }
  }

  const std::vector<Program>& programs_;
  std::vector<Program> own_;
  std::vector<int> first_;
  std::vector<std::vector<int>> before_, lane_;
  std::map<int, std::vector<bool>> ancestors_;
};

}  // namespace funcpipe::testing
