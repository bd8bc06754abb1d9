// Jobs small enough to know every moment of, and events made up for them.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "schedule/op_event.h"
#include "schedule/program.h"

namespace funcpipe {

using Events = std::vector<std::vector<OpEvent>>;  // by worker

// Two stages of two micro-batches, one worker each.
inline Plan two_stage_plan() {
  Plan plan;
  plan.model = "test";
  plan.stages = {{.first_layer = 0, .end_layer = 1}, {.first_layer = 1, .end_layer = 2}};
  plan.global_batch = 2;
  plan.micro_batch = 1;
  return plan;
}

inline std::vector<Program> programs_of(const Plan& plan, std::int64_t gradient_elements = 1000) {
  const std::vector<StageShape> shapes(static_cast<std::size_t>(plan.stage_count()),
                                       {.gradient_elements = gradient_elements});
  std::vector<Program> programs;
  for (int stage = 0; stage < plan.stage_count(); ++stage)
    for (int replica = 0; replica < plan.replicas; ++replica)
      programs.push_back(training_program(plan, shapes, {stage, replica}));
  return programs;
}

inline int op_index(const Program& program, OpKind kind, int micro_batch = -1) {
  for (int i = 0; i < std::ssize(program.ops); ++i) {
    const Op& op = program.ops[static_cast<std::size_t>(i)];
    if (op.kind == kind && (micro_batch < 0 || op.micro_batch == micro_batch)) return i;
  }
  return -1;
}

// One iteration of two_stage_plan(), as told here; what is not told (reports, removals) is done in an instant.
//   seconds   0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15  16  17
//   stage 0   load F0----- F1-----                            B0-----  B1----- U--
//   stage 1                       F0- . F1- B0----- B1----- U
// Stage 1 asks for the first activation half a second after it is there.
inline Events two_stage_events(const std::vector<Program>& programs, std::int64_t iteration = 0, Seconds shift = 0) {
  Events events(2);
  const auto add = [&](int worker, OpKind kind, int micro_batch, Seconds start, Seconds end) -> OpEvent& {
    const int op = op_index(programs[static_cast<std::size_t>(worker)], kind, micro_batch);
    return events[static_cast<std::size_t>(worker)].emplace_back(
        OpEvent{.op = op, .iteration = iteration, .ready = start + shift, .start = start + shift, .end = end + shift});
  };
  for (const int worker : {0, 1})
    for (const int m : {0, 1}) add(worker, OpKind::load, m, 0, 1);
  add(0, OpKind::forward, 0, 1, 3);
  add(0, OpKind::forward, 1, 3, 5);
  add(0, OpKind::send_activation, 0, 3, 4);
  add(0, OpKind::send_activation, 1, 5, 6);
  add(1, OpKind::receive_activation, 0, 0, 5).asked = 4.5 + shift;
  add(1, OpKind::receive_activation, 1, 0, 7);
  add(1, OpKind::forward, 0, 5, 6);
  add(1, OpKind::forward, 1, 7, 8);
  add(1, OpKind::backward, 0, 8, 10);
  add(1, OpKind::backward, 1, 10, 12);
  add(1, OpKind::send_gradient, 0, 10, 11);
  add(1, OpKind::send_gradient, 1, 12, 13);
  add(1, OpKind::update, -1, 12, 12.5);
  add(0, OpKind::receive_gradient, 0, 4, 12);
  add(0, OpKind::receive_gradient, 1, 6, 14);
  add(0, OpKind::backward, 0, 12, 13.5);
  add(0, OpKind::backward, 1, 14, 16);
  add(0, OpKind::update, -1, 16, 17);
  add(0, OpKind::release, -1, 17, 17);
  add(1, OpKind::report, -1, 12.5, 12.5);
  add(1, OpKind::release, -1, 12.5, 12.5);
  return events;
}

// Any sound job: every operation takes a second and begins as soon as it may, one of a lane at a time.
inline Events played_by_seconds(const std::vector<Program>& programs, std::int64_t iterations) {
  Events events(programs.size());
  std::map<std::tuple<std::size_t, std::int64_t, int>, Seconds> ended;
  std::map<std::pair<std::int64_t, ObjectName>, Seconds> there;
  std::vector<std::array<std::size_t, kLanes>> next(programs.size());
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t w = 0; w < programs.size(); ++w)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::vector<int>& order = programs[w].lanes[lane];
        std::size_t& position = next[w][lane];
        while (!order.empty() && position < order.size() * static_cast<std::size_t>(iterations)) {
          const auto iteration = static_cast<std::int64_t>(position / order.size());
          const int index = order[position % order.size()];
          const Op& op = programs[w].ops[static_cast<std::size_t>(index)];
          Seconds start = 0, found = 0;
          bool ready = true;
          if (position > 0) {
            const auto before = static_cast<std::int64_t>((position - 1) / order.size());
            start = ended.at({w, before, order[(position - 1) % order.size()]});
          }
          for (const Dependency& dependency : op.after) {
            if (iteration < dependency.iterations_back) continue;
            const auto done = ended.find({w, iteration - dependency.iterations_back, dependency.op});
            if (done == ended.end())
              ready = false;
            else
              start = std::max(start, done->second);
          }
          if (is_consumer(op.kind)) {
            const auto object = there.find({iteration, op.object});
            if (object == there.end())
              ready = false;
            else
              found = object->second;
          }
          if (!ready) break;
          const Seconds end = std::max(start, found) + 1;
          events[w].push_back({.op = index, .iteration = iteration, .ready = start, .start = start, .end = end});
          ended[{w, iteration, index}] = end;
          if (is_producer(op.kind)) there[{iteration, op.object}] = end;
          ++position;
          moved = true;
        }
      }
  }
  return events;
}

}  // namespace funcpipe
