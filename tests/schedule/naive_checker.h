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
    std::map<ObjectName, Place> producers;
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
          const Place from = producers.at(op(p, i).object);
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
  struct Place {
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

  bool data_in_order(int p) {
    NaiveChecker alone(programs_[p]);
    std::map<std::pair<OpKind, int>, int> makers;
    std::int64_t elements = 1;
    for (int i = 0; i < size(p); ++i) {
      if (op(p, i).micro_batch >= 0) makers.emplace(std::pair(op(p, i).kind, op(p, i).micro_batch), i);
      elements = std::max(elements, op(p, i).slice.first + op(p, i).slice.elements);
    }
    const auto has = [&](int i, OpKind maker, bool required) {
      const auto found = makers.find({maker, op(p, i).micro_batch});
      return found == makers.end() ? !required : alone.before(0, found->second, i, 0);
    };
    for (int i = 0; i < size(p); ++i) {
      const OpKind kind = op(p, i).kind;
      if (kind == OpKind::forward &&
          (!has(i, OpKind::load, false) || !has(i, OpKind::receive_activation, programs_[p].worker.stage > 0)))
        return false;
      if (kind == OpKind::backward && (!has(i, OpKind::forward, true) || !has(i, OpKind::receive_gradient, false)))
        return false;
      if (kind == OpKind::send_activation && !has(i, OpKind::forward, true)) return false;
      if (kind == OpKind::send_gradient && !has(i, OpKind::backward, true)) return false;
      if (kind == OpKind::reduce &&
          (!alone.before(0, op(p, i).source, i, 0) || !alone.before(0, i, op(p, i).source, 1)))
        return false;
      for (int j = 0; j < size(p); ++j) {
        const bool exchange = kind == OpKind::publish_buffers || kind == OpKind::fetch_buffers;
        if (exchange && ((op(p, j).kind == OpKind::forward && !alone.before(0, i, j, 0)) ||
                         (op(p, j).kind == OpKind::update && !alone.before(0, j, i, 1))))
          return false;
        const GradientAccess a = gradient_access(kind), b = gradient_access(op(p, j).kind);
        if (kind == OpKind::update && j != i && (op(p, j).kind == OpKind::forward || b != GradientAccess::none) &&
            !alone.before(0, j, i, 0))
          return false;
        if (a == GradientAccess::none || b == GradientAccess::none ||
            (a == GradientAccess::read && b == GradientAccess::read) ||
            !overlap(gradient_slice(op(p, i), elements), gradient_slice(op(p, j), elements)))
          continue;
        if (i != j && !alone.before(0, i, j, 0) && !alone.before(0, j, i, 0)) return false;
        if (!alone.before(0, i, j, 1)) return false;
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
