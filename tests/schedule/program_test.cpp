#include "schedule/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "schedule/shapes.h"
#include "schedule/sync/parameter_server.h"
#include "schedule/sync/shards.h"

namespace funcpipe {
namespace {

using testing::plan_of;
using testing::programs_of;
using testing::shapes_of;
using testing::tie;

int count(const Program& program, OpKind kind) {
  int n = 0;
  for (const Op& op : program.ops) n += op.kind == kind ? 1 : 0;
  return n;
}

std::int64_t elements(const Program& program, Lane lane) {
  std::int64_t sum = 0;
  for (const int op : program.lanes[static_cast<int>(lane)]) sum += program.ops[op].slice.elements;
  return sum;
}

TEST(Shard, CutsWithoutGapsAndEvenly) {
  for (const int n : {1, 2, 3, 5, 8}) {
    for (const std::int64_t size :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{7}, std::int64_t{1000}, std::int64_t{1} << 62}) {
      std::int64_t next = 0;
      for (int i = 0; i < n; ++i) {
        const Slice slice = shard(size, n, i);
        EXPECT_EQ(slice.first, next);
        EXPECT_GE(slice.elements, size / n);
        EXPECT_LE(slice.elements, size / n + 1);
        next += slice.elements;
      }
      EXPECT_EQ(next, size);
    }
  }
}

TEST(Program, OneStageOneReplicaMovesNothing) {
  const Program program = training_program(plan_of(1, 1, 3), shapes_of(1, 100), {0, 0});
  EXPECT_TRUE(program.lanes[static_cast<int>(Lane::upload)].size() == 1) << "only the report";
  EXPECT_EQ(count(program, OpKind::report), 1);
  EXPECT_EQ(count(program, OpKind::load), 3);
  EXPECT_EQ(program.lanes[static_cast<int>(Lane::download)].size(), 3u);
  EXPECT_EQ(count(program, OpKind::release), 0);
}

TEST(Program, BackwardsRunInTheOrderOfForwards) {
  const Program program = training_program(plan_of(2, 2, 7), shapes_of(2, 100), {0, 1});
  std::vector<std::pair<OpKind, int>> computed;
  for (const int op : program.lanes[static_cast<int>(Lane::compute)]) {
    const Op& o = program.ops[op];
    if (o.micro_batch >= 0) computed.emplace_back(o.kind, o.micro_batch);
  }
  const std::vector<std::pair<OpKind, int>> expected{
      {OpKind::forward, 3},  {OpKind::forward, 4},  {OpKind::forward, 5},  {OpKind::forward, 6},
      {OpKind::backward, 3}, {OpKind::backward, 4}, {OpKind::backward, 5}, {OpKind::backward, 6}};
  EXPECT_EQ(computed, expected);
}

// The most micro-batches a worker has forwarded and not yet taken back is what its memory is planned for.
TEST(Program, KeepsNoMoreActivationsThanThePlanSays) {
  for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
    for (const int stages : {1, 2, 4}) {
      Plan plan = plan_of(stages, 1, 6);
      plan.order = order;
      for (int stage = 0; stage < stages; ++stage) {
        const Program program = training_program(plan, shapes_of(stages, 100), {stage, 0});
        int kept = 0, most = 0, next = 0;
        for (const int op : program.lanes[static_cast<int>(Lane::compute)]) {
          if (program.ops[op].kind == OpKind::forward) most = std::max(most, ++kept);
          if (program.ops[op].kind != OpKind::backward) continue;
          EXPECT_EQ(program.ops[op].micro_batch, next++) << "gradients are added in this order";
          --kept;
        }
        EXPECT_EQ(most, plan.most_in_flight(stage)) << to_string(order) << " stage " << stage << " of " << stages;
      }
    }
  }
}

// 1-system section 7: pipelined moves s up and 2(1-1/n)s down, so does three-phase.
TEST(Program, AllReducesMoveTheBytesOfTheFormula) {
  for (const SyncAlgorithm sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
    for (const int n : {2, 3, 5, 8}) {
      const std::int64_t s = 840;  // divisible by every n
      for (int r = 0; r < n; ++r) {
        const Program program = training_program(plan_of(1, n, n, sync), shapes_of(1, s), {0, r});
        EXPECT_EQ(elements(program, Lane::upload), s);
        EXPECT_EQ(elements(program, Lane::download), 2 * (s - s / n));
        EXPECT_EQ(count(program, OpKind::reduce), n - 1);
        EXPECT_EQ(count(program, OpKind::publish), n);
        EXPECT_EQ(count(program, OpKind::fetch_into), n - 1);
      }
    }
  }
}

// However late the compute lane adds parts, only so many are fetched before: else they pile up to the whole gradient.
TEST(Program, AllReducesStageNoMorePartsThanThePlanSays) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 28, kSmall = 1000;
  EXPECT_EQ(most_staged_parts(kLarge, 16), 5);
  EXPECT_EQ(most_staged_parts(kLarge, 2048), 8) << "4 MiB of half a MiB each";
  for (const SyncAlgorithm sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
    for (const std::int64_t size : {kLarge, kSmall}) {
      constexpr int kReplicas = 16;
      const Program program =
          training_program(plan_of(1, kReplicas, kReplicas, sync), shapes_of(1, size), {0, kReplicas / 2});
      int fetched = 0, most = 0;
      for (const int op : program.lanes[static_cast<int>(Lane::download)]) {
        if (program.ops[op].kind != OpKind::fetch) continue;
        ++fetched;
        int added = 0;  // before this one may start; additions are in the order of the fetches
        for (const Dependency& before : program.ops[op].after)
          for (int i = 0; before.iterations_back == 0 && i <= before.op; ++i)
            added += program.ops[before.op].kind == OpKind::reduce && program.ops[i].kind == OpKind::reduce ? 1 : 0;
        most = std::max(most, fetched - added);
      }
      EXPECT_EQ(fetched, kReplicas - 1);
      EXPECT_EQ(most, std::min(kReplicas - 1, most_staged_parts(size, kReplicas))) << to_string(sync) << " " << size;
    }
  }
}

TEST(Program, EmptyShardsMoveNothing) {
  for (const SyncAlgorithm sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
    int objects = 0;
    for (int r = 0; r < 8; ++r) {
      const Program program = training_program(plan_of(1, 8, 8, sync), shapes_of(1, 3), {0, r});
      for (const Op& op : program.ops) {
        if (op.kind == OpKind::publish || op.kind == OpKind::fetch || op.kind == OpKind::fetch_into) {
          EXPECT_EQ(op.slice.elements, 1);
        }
      }
      objects += count(program, OpKind::publish);
    }
    EXPECT_EQ(objects, 3 * 8);  // 3 shards: 7 parts and a sum each
  }
}

TEST(Program, EveryOperationOfTheMergeOrderIsAFunctionOfTheShard) {
  // Worker 1 of 4 adds parts of 0, 3, 2 (pipelined) or 0, 2, 3 (three-phase) to its own.
  const auto sources = [](SyncAlgorithm sync) {
    const Program program = training_program(plan_of(1, 4, 4, sync), shapes_of(1, 100), {0, 1});
    std::vector<int> replicas;
    for (const int op : program.lanes[static_cast<int>(Lane::compute)]) {
      if (program.ops[op].kind == OpKind::reduce) {
        replicas.push_back(program.ops[program.ops[op].source].object.replica);
      }
    }
    return replicas;
  };
  EXPECT_EQ(sources(SyncAlgorithm::pipelined), (std::vector<int>{0, 3, 2}));
  EXPECT_EQ(sources(SyncAlgorithm::three_phase), (std::vector<int>{0, 2, 3}));
}

std::vector<Program> parameter_server_programs(int replicas, std::int64_t gradient) {
  return programs_of(plan_of(1, replicas, replicas, SyncAlgorithm::parameter_server), shapes_of(1, gradient));
}

TEST(Program, TheParameterServerSumsInTheOrderOfReplicas) {
  for (const int n : {1, 2, 3, 8}) {
    const std::int64_t s = 800;
    const auto programs = parameter_server_programs(n, s);
    ASSERT_EQ(std::ssize(programs), n + 1);
    for (int r = 0; r < n; ++r) {
      EXPECT_EQ(elements(programs[r], Lane::upload), s);
      EXPECT_EQ(elements(programs[r], Lane::download), s);
      EXPECT_EQ(count(programs[r], OpKind::reduce), 0);
    }
    const Program& server = programs.back();
    EXPECT_EQ(server.worker, kParameterServer);
    EXPECT_EQ(elements(server, Lane::upload), s);
    EXPECT_EQ(elements(server, Lane::download), n * s);
    EXPECT_EQ(count(server, OpKind::publish), kServerShards);
    EXPECT_EQ(count(server, OpKind::update), 0);
    std::vector<int> replicas;  // of a shard
    for (const Op& op : server.ops) {
      if (op.kind == OpKind::fetch_into) replicas = {op.object.replica};
      if (op.kind == OpKind::reduce) replicas.push_back(server.ops[op.source].object.replica);
      if (op.kind != OpKind::publish) continue;
      ASSERT_EQ(std::ssize(replicas), n);
      for (int r = 0; r < n; ++r) EXPECT_EQ(replicas[r], r);
    }
  }
}

TEST(Program, AFunctionPullsOnceItsWholeGradientIsPushed) {
  const auto programs = parameter_server_programs(3, 100);
  int pulls = 0;
  for (const Op& op : programs[1].ops) {
    if (op.kind != OpKind::fetch_into) continue;
    ++pulls;
    EXPECT_EQ(op.object.stage, kParameterServer.stage);
    EXPECT_EQ(
        std::ranges::count_if(op.after, [&](Dependency on) { return programs[1].ops[on.op].kind == OpKind::publish; }),
        kServerShards);
  }
  EXPECT_EQ(pulls, kServerShards);
}

TEST(Program, AParameterServerMovesNoEmptyShards) {
  EXPECT_EQ(count(parameter_server_programs(2, 3).back(), OpKind::publish), 3);
  EXPECT_TRUE(parameter_server_programs(2, 0).back().ops.empty());
}

TEST(Program, OnlyStagesThatReadDataLoadIt) {
  auto shapes = shapes_of(3, 10);
  for (StageShape& shape : shapes) shape.reads_data = false;
  shapes[0].reads_data = true;
  const Plan plan = plan_of(3, 1, 2);
  EXPECT_EQ(count(training_program(plan, shapes, {0, 0}), OpKind::load), 2);
  EXPECT_EQ(count(training_program(plan, shapes, {1, 0}), OpKind::load), 0);
  EXPECT_EQ(count(training_program(plan, shapes, {2, 0}), OpKind::load), 2) << "the targets";
}

TEST(Program, LoadsAtMostOneIterationAhead) {
  const Program program = training_program(plan_of(1, 1, 2), shapes_of(1, 10), {0, 0});
  for (const Op& op : program.ops) {
    if (op.kind != OpKind::load) continue;
    ASSERT_EQ(op.after.size(), 1u);
    EXPECT_EQ(op.after[0].iterations_back, 1);
    EXPECT_EQ(program.ops[op.after[0].op].kind, OpKind::forward);
    EXPECT_EQ(program.ops[op.after[0].op].micro_batch, op.micro_batch);
  }
}

TEST(Program, AsksForNothingThatCannotExistYet) {
  const Program program = training_program(plan_of(3, 2, 8), shapes_of(3, 10), {1, 0});
  int gradients = 0;
  for (const Op& op : program.ops) {
    if (op.kind != OpKind::receive_activation && op.kind != OpKind::receive_gradient) continue;
    ASSERT_EQ(op.after.size(), 1u);
    const Op& before = program.ops[op.after[0].op];
    if (op.kind == OpKind::receive_gradient) {
      ++gradients;
      EXPECT_EQ(before.kind, OpKind::send_activation);
      EXPECT_EQ(before.micro_batch, op.micro_batch);
    } else {
      EXPECT_EQ(before.kind, OpKind::send_gradient);
      EXPECT_EQ(before.micro_batch, 3) << "the last";
      EXPECT_EQ(op.after[0].iterations_back, 1);
    }
  }
  EXPECT_EQ(gradients, 4);
}

TEST(Program, EvaluationOfAnEmptyShareReportsZero) {
  auto shapes = shapes_of(1, 10);
  shapes[0].has_buffers = true;
  const Program program = evaluation_program(plan_of(1, 3, 1), shapes, {0, 1});
  ASSERT_EQ(program.ops.size(), 1u);
  EXPECT_EQ(program.ops[0].kind, OpKind::report);
}

TEST(Program, EvaluationSendsBuffersToReplicasThatEvaluate) {
  auto shapes = shapes_of(1, 10);
  shapes[0].has_buffers = true;
  const Plan plan = plan_of(1, 3, 2);  // replica 0 has none of the micro-batches, 1 and 2 have one each
  const Program program = evaluation_program(plan, shapes, {0, 0});
  EXPECT_EQ(count(program, OpKind::forward), 0);
  EXPECT_EQ(count(program, OpKind::publish_buffers), 2);
  EXPECT_EQ(count(evaluation_program(plan, shapes, {0, 2}), OpKind::fetch_buffers), 1);
}

TEST(Program, ReplicasBeginWithReplicaZerosState) {
  for (const auto sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
    auto shapes = shapes_of(2, 10);
    shapes[0].shares_state = true;
    const Plan plan = plan_of(2, 3, 6, sync);
    const Program sender = training_program(plan, shapes, {0, 0});
    ASSERT_EQ(count(sender, OpKind::publish_buffers), 1) << "one object for all";
    EXPECT_EQ(count(sender, OpKind::fetch_buffers), 0);
    const Program reader = training_program(plan, shapes, {0, 2});
    EXPECT_EQ(count(reader, OpKind::publish_buffers), 0);
    ASSERT_EQ(count(reader, OpKind::fetch_buffers), 1);
    for (const Program& program : {sender, reader}) {
      const auto exchanges = [](const Op& op) {
        return op.kind == OpKind::publish_buffers || op.kind == OpKind::fetch_buffers;
      };
      const auto found = std::ranges::find_if(program.ops, exchanges);
      const int exchange = static_cast<int>(found - program.ops.begin());
      const auto update = std::ranges::find(program.ops, OpKind::update, &Op::kind);
      const Dependency last{static_cast<int>(update - program.ops.begin()), 1};
      EXPECT_TRUE(std::ranges::count(found->after, last)) << "after the update of the iteration before";
      const auto forward = std::ranges::find(program.ops, OpKind::forward, &Op::kind);  // the others come after it
      EXPECT_TRUE(std::ranges::count(forward->after, Dependency{exchange, 0}));
    }
    EXPECT_EQ(count(training_program(plan, shapes, {1, 0}), OpKind::publish_buffers), 0) << "no state there";
  }
  auto shapes = shapes_of(1, 10);
  shapes[0].shares_state = true;
  EXPECT_EQ(count(training_program(plan_of(1, 1, 6), shapes, {0, 0}), OpKind::publish_buffers), 0) << "no replicas";
}

// Nothing tells replica 0 what the others have read: each has an object of its own and deletes it.
TEST(Program, StateOfStagesWithoutGradientIsDeletedByItsReaders) {
  auto shapes = shapes_of(1, 0);
  shapes[0].shares_state = true;
  const Plan plan = plan_of(1, 3, 3);
  const Program sender = training_program(plan, shapes, {0, 0});
  EXPECT_EQ(count(sender, OpKind::publish_buffers), 2);
  EXPECT_EQ(count(sender, OpKind::release), 0);
  EXPECT_EQ(count(training_program(plan, shapes, {0, 2}), OpKind::release), 1);
}

TEST(Program, NamesSayEverything) {
  EXPECT_EQ(to_string(ObjectName{ObjectKind::activation, 0, 1, 3}), "activation/s0-r1/m3");
  EXPECT_EQ(to_string(ObjectName{ObjectKind::merged, kParameterServer.stage, 0, 2}), "merged/server/shard2");
  EXPECT_EQ(object_key("job/x", 12, {ObjectKind::part, 2, 1, 0}), "job/x/i00000012/part/s2-r1/shard0");
  std::set<std::string> keys;
  for (const ObjectKind kind : {ObjectKind::activation, ObjectKind::gradient, ObjectKind::part, ObjectKind::merged,
                                ObjectKind::buffers, ObjectKind::tied}) {
    for (int i = 0; i < 8; ++i) keys.insert(object_key("p", i & 1, {kind, i >> 1 & 1, i >> 2 & 1, 5}));
  }
  EXPECT_EQ(keys.size(), 6u * 8u);
}

TEST(StageShape, FindsTiedFrozenAndBufferedParts) {
  ModelDescription model;
  model.parameters = {{.name = "embedding", .shape = {5, 4}},
                      {.name = "frozen", .shape = {3}, .trainable = false},
                      {.name = "middle", .shape = {7}},
                      {.name = "head", .shape = {2}}};
  model.layers.resize(3);
  model.layers[0].parameters = {0, 1};
  model.layers[0].data_inputs = {0};
  model.layers[1].parameters = {2};
  model.layers[1].buffer_bytes = 8;
  model.layers[2].parameters = {3, 0};
  const Plan plan = plan_of(3, 1, 1);
  const StageShape first = stage_shape(plan, model, 0);
  EXPECT_EQ(first.gradient_elements, 20);
  EXPECT_TRUE(first.reads_data);
  EXPECT_FALSE(first.has_buffers);
  ASSERT_EQ(first.tied.size(), 1u);
  EXPECT_EQ(first.tied[0].stages, (std::vector<int>{0, 2}));
  EXPECT_EQ(first.tied[0].slice, (Slice{0, 20}));
  const StageShape middle = stage_shape(plan, model, 1);
  EXPECT_EQ(middle.gradient_elements, 7);
  EXPECT_TRUE(middle.tied.empty());
  EXPECT_TRUE(middle.has_buffers);
  EXPECT_FALSE(middle.reads_data);
  EXPECT_FALSE(middle.shares_state);
  model.layers[1].shared_state_bytes = 8;
  EXPECT_TRUE(stage_shape(plan, model, 1).shares_state);
  const StageShape last = stage_shape(plan, model, 2);
  EXPECT_EQ(last.gradient_elements, 22);
  EXPECT_EQ(last.tied[0].slice, (Slice{0, 20})) << "ascending model index: the embedding before the head";
}

}  // namespace
}  // namespace funcpipe
