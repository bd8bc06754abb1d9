// Worker and client agree on what is played.
#include "protocol/programs.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/clock.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Two layers of a thousand trainable elements, with buffers and a validation set.
JobSpec job_of(int replicas, int micro_batches) {
  JobSpec spec;
  for (int layer = 0; layer < 2; ++layer) {
    spec.model.parameters.push_back({.name = std::to_string(layer), .shape = {1000}});
    spec.model.layers.push_back({.parameters = {layer}, .buffer_bytes = 4});
    spec.plan.stages.push_back({.first_layer = layer, .end_layer = layer + 1});
  }
  spec.plan.replicas = replicas;
  spec.plan.micro_batch = 2;
  spec.plan.global_batch = 2 * micro_batches;
  spec.validation.input.rows = 100;
  return spec;
}

TEST(ProvenPrograms, AreThoseTheClientHasProven) {
  const JobSpec spec = job_of(3, 6);
  const auto proven = prove_programs(spec);
  ASSERT_TRUE(proven) << describe(proven.error());
  std::set<std::string> different;
  for (const WorkerId worker : spec.plan.workers()) {
    different.insert(proven->at(worker));
    const auto programs = proven_programs(spec, {.worker = worker, .programs = proven->at(worker)});
    ASSERT_TRUE(programs) << describe(programs.error());
    EXPECT_EQ(programs->training.worker, worker);
    EXPECT_TRUE(programs->evaluation);
  }
  EXPECT_EQ(different.size(), 6u);
}

TEST(ProvenPrograms, AreRefusedWhereAnythingDiffers) {
  const JobSpec spec = job_of(3, 6);
  const WorkerId worker{1, 2};
  const std::string proven = prove_programs(spec)->at(worker);
  const auto expect_refused = [&](const JobSpec& other, const std::string& fingerprint, const char* what) {
    const auto programs = proven_programs(other, {.worker = worker, .programs = fingerprint});
    ASSERT_FALSE(programs) << what;
    EXPECT_EQ(programs.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(describe(programs.error()), AllOf(HasSubstr("stage 1 replica 2"), HasSubstr("one build"))) << what;
  };
  expect_refused(spec, "", "no proof");
  expect_refused(spec, prove_programs(spec)->at({0, 2}), "another worker's");
  JobSpec other = spec;
  other.plan.order = PipelineOrder::one_forward_one_backward;
  expect_refused(other, proven, "order");
  other = spec;
  other.plan.sync = SyncAlgorithm::three_phase;
  expect_refused(other, proven, "synchronisation");
  other = spec;
  other.plan.global_batch += 4;
  expect_refused(other, proven, "micro-batches");
  other = spec;
  other.model.parameters[1].shape = {1001};
  expect_refused(other, proven, "parameters");
  other = spec;
  other.validation.input.rows = 105;  // one more micro-batch of 8
  expect_refused(other, proven, "validation set");
  other = spec;
  other.validation.input.rows = 0;
  expect_refused(other, proven, "no validation");
}

TEST(ProvenPrograms, DifferInEveryFieldThatIsPlayed) {
  const Programs programs = make_programs(job_of(2, 4), {0, 1});
  const std::string same = fingerprint(programs);
  EXPECT_EQ(fingerprint(make_programs(job_of(2, 4), {0, 1})), same);
  const std::vector<std::function<void(Op&)>> changes = {[](Op& op) { op.kind = OpKind::report; },
                                                         [](Op& op) { ++op.micro_batch; },
                                                         [](Op& op) { ++op.object.index; },
                                                         [](Op& op) { ++op.object.stage; },
                                                         [](Op& op) { ++op.slice.first; },
                                                         [](Op& op) { ++op.slice.elements; },
                                                         [](Op& op) { ++op.source; },
                                                         [](Op& op) { ++op.release_age; },
                                                         [](Op& op) {
                                                           op.after.push_back({0, 1});
                                                         },
                                                         [](Op& op) { op.released.push_back({}); }};
  for (const auto& change : changes) {
    Programs changed = programs;
    change(changed.training.ops[3]);
    EXPECT_NE(fingerprint(changed), same);
    changed = programs;
    change(changed.evaluation->ops[3]);
    EXPECT_NE(fingerprint(changed), same);
  }
  Programs swapped = programs;
  std::swap(swapped.training.lanes[1][0], swapped.training.lanes[1][1]);
  EXPECT_NE(fingerprint(swapped), same);
}

// A worker looks at nobody else's program: of ten thousand workers it builds one.
TEST(ProvenPrograms, TakeAWorkerNoTimeHoweverManyThereAre) {
  JobSpec spec = job_of(5000, 10'000);
  spec.model.parameters[0].shape = {1'000'000};
  const Programs own = make_programs(spec, {0, 17});
  const std::string proven = fingerprint(own);
  EXPECT_GT(own.training.ops.size(), 20'000u);
  Seconds least = 1e9;
  for (int round = 0; round < 5; ++round) {
    const Seconds before = thread_cpu_time();
    ASSERT_TRUE(proven_programs(spec, {.worker = {0, 17}, .programs = proven}));
    least = std::min(least, thread_cpu_time() - before);
  }
  EXPECT_LT(least, 0.05);
}

TEST(ProvenPrograms, ThatAreTooManyAreRefusedBeforeTheMemoryIs) {
  const auto refused = prove_programs(job_of(2, 20'000'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(describe(refused.error()), HasSubstr("fewer replicas, or larger micro-batches"));
}

}  // namespace
}  // namespace funcpipe
