// A worker's operations touch its memory in order: what the checker says of those that do not.
#include "schedule/check_data.h"

#include <algorithm>
#include <functional>

#include "schedule/verdicts.h"

namespace funcpipe {
namespace {

using testing::expect_refusal;
using testing::find;
using ::testing::HasSubstr;
using testing::lane;
using testing::parameter_server_programs;
using testing::plan_of;
using testing::programs_of;
using testing::shapes_of;
using testing::verdict;

TEST(CheckData, RefusesForwardsThatDoNotWaitForSharedState) {
  auto shapes = shapes_of(1, 100);
  shapes[0].shares_state = true;
  const auto programs = programs_of(plan_of(1, 2, 4), shapes);
  ASSERT_EQ(verdict(programs), "sound");
  for (const OpKind kind : {OpKind::publish_buffers, OpKind::fetch_buffers}) {
    for (const bool before : {true, false}) {
      auto damaged = programs;
      for (Program& program : damaged) {
        const auto found = std::ranges::find(program.ops, kind, &Op::kind);
        if (found == program.ops.end()) continue;
        const int exchange = static_cast<int>(found - program.ops.begin());
        if (before) found->after.clear();
        for (Op& op : program.ops)
          if (!before) std::erase(op.after, Dependency{exchange, 0});
      }
      EXPECT_THAT(verdict(damaged), HasSubstr("may touch the state together with")) << to_string(kind) << before;
    }
  }
}

TEST(CheckData, RefusesTouchingTheGradientTogether) {
  expect_refusal("touch the gradient", [](auto& programs) {  // a merged shard lands on a part that is still going up
    Program& program = programs[0];
    program.ops[find(program, OpKind::fetch_into)].after.clear();
  });
  expect_refusal("touch the gradient", [](auto& programs) {
    Program& program = programs[0];
    program.ops[find(program, OpKind::publish)].after.clear();
  });
}

TEST(CheckData, RefusesDataThatMayNotBeThereYet) {
  expect_refusal("may touch the received activations of micro-batch", [](auto& programs) {
    Program& program = programs[4];
    auto& after = program.ops[find(program, OpKind::forward)].after;
    std::erase_if(after, [&](const Dependency& on) { return program.ops[on.op].kind == OpKind::receive_activation; });
  });
  expect_refusal("may touch the gradients to send of micro-batch", [](auto& programs) {
    Program& program = programs[4];
    program.ops[find(program, OpKind::send_gradient)].after.clear();
  });
  expect_refusal("may touch the staged bytes of operation", [](auto& programs) {
    Program& program = programs[4];
    Op& reduce = program.ops[find(program, OpKind::reduce)];
    std::erase_if(reduce.after, [&](const Dependency& on) { return on.op == reduce.source; });
  });
}

// Listed in an order that its dependencies keep, but not in one that makes sense.
TEST(CheckData, RefusesAnOrderThatIsKeptAndWrong) {
  const auto move_to_the_end = [](Program& program, int op) {
    // The others keep their numbers; `op` becomes the last one, and waits for all.
    Op moved = program.ops[op];
    const int end = static_cast<int>(program.ops.size());
    moved.after.clear();
    for (int i = 0; i < end; ++i)
      if (i != op) moved.after.push_back({i, 0});
    for (auto& lane : program.lanes) {
      if (std::erase(lane, op) > 0) lane.push_back(end);
    }
    for (Op& other : program.ops) std::erase_if(other.after, [&](const Dependency& on) { return on.op == op; });
    program.ops.push_back(std::move(moved));
    // Nothing is left in its old place but an operation that does nothing.
    program.ops[op] = {.kind = OpKind::report};
    program.lanes[static_cast<int>(Lane::upload)].push_back(op);
  };
  for (const OpKind kind : {OpKind::load, OpKind::receive_activation, OpKind::receive_gradient, OpKind::fetch_into,
                            OpKind::publish, OpKind::reduce}) {
    auto programs = programs_of(plan_of(3, 2, 4), shapes_of(3, 100));
    Program& program = programs[2];  // of the middle stage
    move_to_the_end(program, find(program, kind));
    const LocalOrder order(program);
    ASSERT_TRUE(order.acyclic()) << to_string(kind);
    EXPECT_FALSE(check_data(program, order)) << to_string(kind);
  }
  auto shapes = shapes_of(1, 0);
  shapes[0].shares_state = true;
  Program late = training_program(plan_of(1, 2, 4), shapes, {0, 1});
  move_to_the_end(late, find(late, OpKind::fetch_buffers));
  EXPECT_FALSE(check_data(late, LocalOrder(late)));
  Program early = training_program(plan_of(1, 2, 4), shapes, {0, 1});
  early.ops[find(early, OpKind::fetch_buffers)].after.clear();
  EXPECT_FALSE(check_data(early, LocalOrder(early)));
}

TEST(CheckData, SaysWhatAnIterationIs) {
  const auto expect = [](const std::string& what, bool shares_state, const std::function<void(Program&)>& damage) {
    auto shapes = shapes_of(2, 0);
    shapes[1].shares_state = shares_state;
    Program program = training_program(plan_of(2, 2, 4), shapes, {1, 1});
    ASSERT_TRUE(check_data(program, LocalOrder(program)));
    damage(program);
    const auto checked = check_data(program, LocalOrder(program));
    ASSERT_FALSE(checked) << what;
    EXPECT_THAT(describe(checked.error()), HasSubstr(what));
  };
  const auto append = [](Program& program, Op op) {
    lane(program, op.kind).push_back(static_cast<int>(program.ops.size()));
    program.ops.push_back(std::move(op));
  };
  expect("comes after the update", true, [&](Program& program) { append(program, {.kind = OpKind::update}); });
  expect("may come before operation", false, [](Program& program) {  // without elements nothing but this keeps it there
    auto& compute = lane(program, OpKind::update);
    std::rotate(compute.begin(), compute.end() - 1, compute.end());
  });
  expect("may exchange the state before the update", true, [](Program& program) {
    Op& exchange = program.ops[find(program, OpKind::fetch_buffers)];
    exchange.after = {{lane(program, OpKind::forward)[3], 1}};  // the last backward
  });
}

TEST(CheckData, RefusesAStageWithoutItsActivations) {
  Program program = training_program(plan_of(2, 1, 2), shapes_of(2, 10), {1, 0});
  for (Op& op : program.ops)
    if (op.kind == OpKind::receive_activation) op.kind = OpKind::receive_gradient;
  const auto checked = check_data(program, LocalOrder(program));
  ASSERT_FALSE(checked);
  EXPECT_THAT(describe(checked.error()), HasSubstr("received activations of micro-batch 0, which nothing has made"));
}

TEST(CheckData, RefusesFetchingOverBytesNotYetAdded) {
  expect_refusal("may touch the staged bytes of operation", [](auto& programs) {
    Program& program = programs[4];
    program.ops[find(program, OpKind::fetch)].after.clear();
  });
}

TEST(CheckData, RefusesAnUpdateThatComesTooEarly) {
  expect_refusal("may touch the gradient together", [](auto& programs) {
    Program& program = programs[0];
    const int update = find(program, OpKind::update);
    auto& compute = lane(program, OpKind::update);
    std::erase(compute, update);
    compute.insert(compute.begin() + 2, update);
    program.ops[update].after.clear();
  });
}

TEST(CheckData, RefusesAnUpdateBeforeTheLastForward) {
  // One worker alone: nobody else's traffic would show it.
  auto programs = programs_of(plan_of(1, 1, 3), shapes_of(1, 10));
  auto& compute = lane(programs[0], OpKind::update);
  std::rotate(compute.begin(), compute.end() - 1, compute.end());
  programs[0].ops[find(programs[0], OpKind::update)].after.clear();
  EXPECT_THAT(verdict(programs), HasSubstr("may touch the gradient together with operation"));
}

TEST(CheckData, RefusesAParameterServerThatIsTooEarly) {
  const auto expect = [](const std::string& what, const std::function<void(Program&)>& damage) {
    auto programs = parameter_server_programs(3, 100, PipelineOrder::gpipe);
    damage(programs.back());
    EXPECT_THAT(verdict(programs), HasSubstr(what));
  };
  expect("may touch the gradient", [](Program& server) {  // the next iteration's part over a sum still going up
    server.ops[find(server, OpKind::fetch_into)].after.clear();
  });
  expect("may touch the staged bytes of operation",
         [](Program& server) { server.ops[find(server, OpKind::fetch)].after.clear(); });
  expect("perhaps before", [](Program& server) {  // once it has the first part, others may still pull
    server.ops[find(server, OpKind::release)].after = {{find(server, OpKind::fetch_into), 0}};
  });
}

}  // namespace
}  // namespace funcpipe
