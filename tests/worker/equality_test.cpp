// The most important test of the project: training cut into stages and replicas equals plain training of the whole
// model, bit by bit if that loop sums in the same order, and to rounding where replicas change the order.
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/import.h>

#include <atomic>
#include <set>

#include "base/clock.h"
#include "in_process_job.h"
#include "plain_training.h"
#include "protocol/iteration_report.h"
#include "protocol/job_keys.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

constexpr double kRounding = 1e-6;

// Uncut, every single cut, every cut at once.
std::vector<std::vector<int>> cut_sets(int layers) {
  std::vector<std::vector<int>> sets = {{}};
  std::vector<int> all;
  for (int cut = 1; cut < layers; ++cut) {
    sets.push_back({cut});
    all.push_back(cut);
  }
  if (all.size() > 1) sets.push_back(all);
  return sets;
}

Outcome run(const Training& training, const Cutting& cutting,
            Seconds lifetime = std::numeric_limits<double>::infinity()) {
  MemoryStore store;
  auto outcome = train(training, cutting, store, lifetime);
  EXPECT_TRUE(outcome) << describe(outcome.error());
  return outcome ? std::move(*outcome) : Outcome{};
}

std::string text(const Cutting& cutting) {
  return fmt::format("cuts [{}], {} replicas, {}, {}", fmt::join(cutting.cuts, ","), cutting.replicas,
                     to_string(cutting.sync), to_string(cutting.order));
}

void expect_equality(const Training& training, const std::vector<int>& replica_counts) {
  const ModelDescription model = describe_model(training);
  const int layers = static_cast<int>(model.layers.size());
  ASSERT_GT(layers, 1) << "nothing to cut";
  ::testing::Test::RecordProperty("layers", layers);
  for (const int replicas : replica_counts) {
    const Tensors plain = train_plainly(training, replicas);
    for (const auto& cuts : cut_sets(layers)) {
      const SyncAlgorithm sync = cuts.size() % 2 ? SyncAlgorithm::three_phase : SyncAlgorithm::pipelined;
      // The uncut model and every other cut in turn, the rest all forwards first.
      const bool in_turn = cuts.size() != 1 || cuts.front() % 2 == 1;
      const Cutting cutting{cuts, replicas, sync,
                            in_turn ? PipelineOrder::one_forward_one_backward : PipelineOrder::gpipe};
      SCOPED_TRACE(text(cutting));
      const Tensors trained = run(training, cutting).tensors;
      EXPECT_LE(relative_error(trained, plain), kRounding);
      if (stages_share_parameters(model, cuts)) continue;
      const Tensors same_order = replicas == 1 ? plain : train_in_order_of(training, cutting);
      EXPECT_EQ(first_difference(trained, same_order), "");
    }
  }
}

TEST(Equality, BatchNorm) {
  expect_equality({.model = batch_norm_model()}, {1, 2});
}
TEST(Equality, BatchNormWithAdam) {
  expect_equality({.model = batch_norm_model(), .optimizer = "adam"}, {1});
}
TEST(Equality, Dropout) {
  expect_equality({.model = dropout_model()}, {1, 4});
}
TEST(Equality, DropoutWithAdamW) {
  expect_equality({.model = dropout_model(), .optimizer = "adamw"}, {1, 2});
}
TEST(Equality, TupleBordersAreThere) {
  const ModelDescription model = describe_model({.model = skip_model()});
  bool tuple = false, without_gradient = false;
  for (const LayerDescription& layer : model.layers) {
    tuple = tuple || layer.border.size() > 1;
    for (const TensorSpec& tensor : layer.border) without_gradient = without_gradient || !tensor.requires_grad;
  }
  EXPECT_TRUE(tuple);
  EXPECT_TRUE(without_gradient);
}

TEST(Equality, TupleBorders) {
  expect_equality({.model = skip_model()}, {1, 3});
}
TEST(Equality, TupleBordersWithAdam) {
  expect_equality({.model = skip_model(), .optimizer = "adam"}, {1, 2});
}
TEST(Equality, TensorsWithoutGradient) {
  const Training training{.model = gate_model()};
  const ModelDescription model = describe_model(training);
  ASSERT_GT(model.layers.size(), 4u);
  ASSERT_EQ(model.layers[1].border.size(), 2u);  // of these nothing uses the gate for gradients
  expect_equality(training, {1, 3});
}

// What no loss reaches does not decay either, as in PyTorch: it ends as it began.
TEST(Equality, ParametersWithoutGradientStayAsTheyAre) {
  for (const std::string optimizer : {"sgd", "adam", "adamw"}) {
    const Training training{.model = gate_model(), .optimizer = optimizer};
    const at::Tensor before = tensors_of(torch::jit::load(training.model.file)).at("b");
    for (const Seconds lifetime : {0.0, std::numeric_limits<double>::infinity()}) {
      const Tensors trained = run(training, {{2}, 2}, lifetime).tensors;
      ASSERT_TRUE(trained.contains("b"));
      EXPECT_TRUE(trained.at("b").equal(before)) << optimizer;
      EXPECT_EQ(first_difference(trained, train_in_order_of(training, {{2}, 2})), "") << optimizer;
    }
  }
}

// Whether a parameter has a gradient is known only once the replicas' micro-batches have run.
TEST(Equality, ParametersWithAGradientOnSomeReplicas) {
  for (const std::string optimizer : {"sgd", "adam"}) {
    const Training training{.model = branch_model(), .optimizer = optimizer};
    const auto reached = count_reached(training, 4, "b");
    EXPECT_GT(reached.none, 0);
    EXPECT_GT(reached.some, 0);
    expect_equality(training, {1, 2, 4});
  }
}

// And where several stages use it, only once the stages have told each other.
TEST(Equality, TiedParametersWithAGradientOnOneStage) {
  for (const std::string optimizer : {"sgd", "adamw"}) {
    const Training training{.model = half_tied_model(), .optimizer = optimizer};
    const int layers = static_cast<int>(describe_model(training).layers.size());
    const Tensors plain = train_plainly(training, 1);
    bool shared = false;
    for (const auto& cuts : cut_sets(layers)) {
      shared = shared || stages_share_parameters(describe_model(training), cuts);
      EXPECT_EQ(first_difference(run(training, {cuts}).tensors, plain), "") << fmt::format("{}", fmt::join(cuts, ","));
    }
    EXPECT_TRUE(shared);
  }
}
TEST(Equality, IntegerInputsAndTiedWeights) {
  expect_equality({.model = token_model()}, {1, 2});
}
TEST(Equality, TiedWeightsWithAdam) {
  expect_equality({.model = token_model(), .optimizer = "adam"}, {1});
}
TEST(Equality, MeanSquaredError) {
  expect_equality({.model = regression_model()}, {1, 2});
}

// Micro-batches that divide neither the batch (10 = 3+3+3+1) nor the replicas: shares of 6 and 4 samples, of 3, 3
// and 4.
TEST(Equality, UnevenMicroBatches) {
  expect_equality({.model = skip_model(), .global_batch = 10, .micro_batch = 3}, {1, 2, 3});
  expect_equality({.model = batch_norm_model(), .global_batch = 10, .micro_batch = 4}, {1, 2});
}

// One replica per micro-batch, and as many samples as there are.
TEST(Equality, ManyReplicas) {
  Training training{.model = skip_model(), .global_batch = 8, .micro_batch = 1, .steps = 5};
  const Tensors plain = train_plainly(training, 8);
  for (const SyncAlgorithm sync : {SyncAlgorithm::three_phase, SyncAlgorithm::pipelined}) {
    const Cutting cutting{{1}, 8, sync};
    const Tensors trained = run(training, cutting).tensors;
    EXPECT_LE(relative_error(trained, plain), kRounding);
    EXPECT_EQ(first_difference(trained, train_in_order_of(training, cutting)), "");
  }
}

// A step must be that of the whole batch's mean loss, whatever it is divided into: summed instead of averaged
// gradients, or equal weights for unequal shares, are off by far more than rounding.
TEST(Equality, MicroBatchesAndReplicasDoNotChangeTheStep) {
  const Training whole{.model = regression_model(), .global_batch = 12, .micro_batch = 12, .steps = 5};
  const Tensors plain = train_plainly(whole, 1);
  for (const int micro_batch : {1, 4, 5, 12})
    for (const int replicas : {1, 2, 3}) {
      Training training = whole;
      training.micro_batch = micro_batch;
      if ((12 + micro_batch - 1) / micro_batch < replicas) continue;
      const Tensors trained = run(training, {{1}, replicas}).tensors;
      EXPECT_LE(relative_error(trained, plain), 5e-6) << micro_batch << " samples, " << replicas << " replicas";
    }
}

TEST(Equality, TheSamePlanTwiceIsBitwiseEqual) {
  for (const TestModel& model : {batch_norm_model(), dropout_model(), token_model()}) {
    const Training training{.model = model, .global_batch = 10, .micro_batch = 2};
    const Cutting cutting{{1, 2}, 3};
    EXPECT_EQ(first_difference(run(training, cutting).tensors, run(training, cutting).tensors), "") << model.name;
  }
}

TEST(Equality, TwoSynchronisationsAgreeToRounding) {
  const Training training{.model = skip_model(), .global_batch = 10, .micro_batch = 1};
  const Tensors pipelined = run(training, {{2}, 5, SyncAlgorithm::pipelined}).tensors;
  EXPECT_LE(relative_error(run(training, {{2}, 5, SyncAlgorithm::three_phase}).tensors, pipelined), kRounding);
}

// Uneven shares, validation between iterations, functions that are replaced while the server stays.
TEST(Equality, ParameterServer) {
  for (const TestModel& model : {batch_norm_model(), dropout_model(), gate_model()}) {
    const Training training{.model = model, .global_batch = 10, .micro_batch = 2, .steps = 12, .validation_rows = 9};
    for (const int replicas : {1, 2, 3}) {
      const Cutting cutting{{}, replicas, SyncAlgorithm::parameter_server, PipelineOrder::one_forward_one_backward};
      SCOPED_TRACE(model.name + ", " + text(cutting));
      const Outcome whole = run(training, cutting);
      const Tensors plain = train_plainly(training, replicas);
      EXPECT_LE(relative_error(whole.tensors, plain), kRounding);
      EXPECT_EQ(first_difference(whole.tensors, replicas == 1 ? plain : train_in_order_of(training, cutting)), "");
      EXPECT_FALSE(whole.validation.empty());
      EXPECT_EQ(whole.invocations, replicas + 1);
      const Outcome pieces = run(training, cutting, 0);
      EXPECT_GT(pieces.invocations, 2 * replicas + 1);
      EXPECT_EQ(first_difference(pieces.tensors, whole.tensors), "");
    }
  }
}

TEST(Equality, LearningRateScheduleIsFollowed) {
  Training training{.model = skip_model()};
  training.adjust = [](JobConfig& config) {
    config.lr_scheduler.name = "cosine";
    config.lr_scheduler.warmup_steps = 4;
    config.lr_scheduler.min_lr_factor = 0.1;
  };
  EXPECT_EQ(first_difference(run(training, {{2}}).tensors, train_plainly(training, 1)), "");
  EXPECT_NE(first_difference(run({.model = skip_model()}, {{2}}).tensors, train_plainly(training, 1)), "");
}

// A worker whose time is up hands over to a new function: nothing may change. With no time at all each function plays
// one iteration; with little, some.
TEST(Equality, HandOverChangesNothing) {
  for (const std::string optimizer : {"sgd", "adam"})
    for (const TestModel& model : {batch_norm_model(), dropout_model()}) {
      Training training{.model = model, .optimizer = optimizer, .steps = 12, .validation_rows = 7};
      const Cutting cutting{{1}, 2};
      const Outcome whole = run(training, cutting);
      EXPECT_EQ(whole.invocations, 4);
      for (const Seconds lifetime : {0.0, 0.3}) {
        const Outcome pieces = run(training, cutting, lifetime);
        if (lifetime == 0) {
          EXPECT_GE(pieces.invocations, 4 * 12);
        }
        EXPECT_EQ(first_difference(pieces.tensors, whole.tensors), "") << model.name << " " << lifetime << " s";
        EXPECT_EQ(pieces.reports.size(), whole.reports.size());
        EXPECT_EQ(pieces.validation.size(), whole.validation.size());
        for (std::size_t i = 0; i < std::min(pieces.validation.size(), whole.validation.size()); ++i)
          EXPECT_EQ(pieces.validation[i].loss, whole.validation[i].loss);
      }
    }
}

// Counts reads of validation data; the first one is so slow that the worker's time is up behind it.
class SlowValidation final : public Store {
 public:
  explicit SlowValidation(Seconds pause) : pause_(pause) {}
  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) override {
    return inner_.put(key, pieces, mode);
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range) override {
    if (key.starts_with(validation_data_prefix("job")) && reads_++ == 0) {
      SystemClock clock;
      clock.sleep_until(clock.now() + pause_);
    }
    return inner_.get(key, destination, range);
  }
  Result<std::optional<Bytes>> size(const std::string& key) override { return inner_.size(key); }
  Result<> remove(std::span<const std::string> keys) override { return inner_.remove(keys); }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override { return inner_.list(prefix); }
  int reads() const { return reads_; }

 private:
  MemoryStore inner_;
  const Seconds pause_;
  std::atomic<int> reads_ = 0;
};

// A round of validation takes place once: peers do not send its activations again. The snapshot a worker leaves behind
// the round must count it, though there is one of the same iteration from before it.
TEST(Equality, HandOverAfterValidationDoesNotRepeatIt) {
  Training training{.model = batch_norm_model(), .steps = 10, .validation_rows = 7};
  training.adjust = [](JobConfig& config) { config.checkpoint.interval = 5; };  // an epoch
  SlowValidation whole(0), pieces(1.5);
  const auto expected = train(training, {{}}, whole);
  ASSERT_TRUE(expected) << describe(expected.error());
  const auto outcome = train(training, {{}}, pieces, 1);
  ASSERT_TRUE(outcome) << describe(outcome.error());
  EXPECT_GE(outcome->invocations, 2);
  EXPECT_EQ(pieces.reads(), whole.reads());
  EXPECT_EQ(first_difference(outcome->tensors, expected->tensors), "");
}

TEST(Reports, CountEverySampleOnce) {
  const Training training{.model = token_model(), .global_batch = 10, .micro_batch = 3, .validation_rows = 13};
  const Outcome outcome = run(training, {{1}, 2});
  const Outcome alone = run(training, {{}, 1});
  ASSERT_EQ(outcome.reports.size(), 20u);
  ASSERT_EQ(alone.reports.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(outcome.reports[i].iteration, static_cast<std::int64_t>(i));
    EXPECT_EQ(outcome.reports[i].samples, 10);
    EXPECT_EQ(outcome.reports[i].predictions, 10 * 6);
    EXPECT_NEAR(outcome.reports[i].loss, alone.reports[i].loss, 1e-3);
    EXPECT_NEAR(outcome.reports[i].correct, alone.reports[i].correct, 1);
  }
  ASSERT_EQ(outcome.validation.size(), 5u);  // 40 rows, 10 a step: every 4 steps
  for (const IterationReport& round : outcome.validation) EXPECT_EQ(round.samples, 13);
}

// Validation runs in evaluation mode with replica 0's statistics, and leaves training as it was.
TEST(Validation, ChangesNothing) {
  Training training{.model = batch_norm_model()};
  const Outcome without = run(training, {{2}, 2});
  training.validation_rows = 9;
  const Outcome with = run(training, {{2}, 2});
  EXPECT_EQ(first_difference(with.tensors, without.tensors), "");
  ASSERT_FALSE(with.validation.empty());
  // One worker sees the same loss: the share of samples does not matter in evaluation mode.
  const Outcome alone = run(training, {{}, 1});
  EXPECT_NEAR(alone.validation.front().loss, with.validation.front().loss, 0.5);
  EXPECT_EQ(alone.validation.front().samples, 9);
}

// What one worker leaves behind: only the last iteration's objects and what the client asked for.
TEST(Objects, AreReleased) {
  MemoryStore store;
  const Training training{.model = batch_norm_model(), .validation_rows = 5};
  const auto outcome = train(training, {{1, 2}, 2}, store);
  ASSERT_TRUE(outcome) << describe(outcome.error());
  const auto objects = store.list("job/i");
  ASSERT_TRUE(objects);
  for (const ListedObject& object : *objects) EXPECT_TRUE(object.key.starts_with("job/i00000019")) << object.key;
  const auto validation = store.list("job/validation/i");
  ASSERT_TRUE(validation);
  EXPECT_THAT(*validation, ::testing::IsEmpty());
}

// Each worker leaves its last two, whatever they were saved for.
TEST(Objects, OldSnapshotsAreRemoved) {
  struct Case {
    std::int64_t interval;
    Seconds lifetime;
    std::vector<int> left;
  };
  constexpr Seconds kForever = std::numeric_limits<double>::infinity();
  for (const Case& c : {Case{3, kForever, {15, 18}}, Case{0, 0, {18, 19}}, Case{5, 0, {18, 19}}}) {
    MemoryStore store;
    Training training{.model = batch_norm_model()};
    training.adjust = [&](JobConfig& config) { config.checkpoint.interval = c.interval; };
    const auto outcome = train(training, {{1}, 2}, store, c.lifetime);
    ASSERT_TRUE(outcome) << describe(outcome.error());
    std::set<std::string> expected, left;
    for (const int iteration : c.left)
      for (const WorkerId worker : {WorkerId{0, 0}, WorkerId{0, 1}, WorkerId{1, 0}, WorkerId{1, 1}})
        expected.insert(snapshot_key("job", iteration, 0, worker));
    const auto objects = store.list("job/snapshot/");
    ASSERT_TRUE(objects);
    for (const ListedObject& object : *objects) left.insert(object.key);
    EXPECT_EQ(left, expected) << "every " << c.interval << " iterations";
  }
}

// Where everything is slowed down, so is the patience of whoever waits.
TEST(Waiting, LimitIsOfThePlatformsSeconds) {
  Training training{.model = batch_norm_model(), .steps = 2};
  for (const double dilation : {1.0, 1000.0}) {
    training.adjust = [&](JobConfig& config) {
      config.training.wait_limit = 0.02;
      config.platform.dilation = dilation;
    };
    MemoryStore memory;
    FaultyStore slow(memory, {.seed = 3, .delay = 1, .longest_delay = 0.2, .quiet = true});
    const auto outcome = train(training, {{1}}, slow);
    EXPECT_EQ(outcome.has_value(), dilation > 1) << dilation << (outcome ? "" : describe(outcome.error()));
  }
}

TEST(Failure, OfTheModelNamesTheStage) {
  Training training{.model = token_model(), .steps = 2};
  training.model.classes = 200;  // targets beyond the model's outputs
  MemoryStore store;
  const auto outcome = train(training, {{1}, 1}, store);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(outcome.error().place, ::testing::HasSubstr("stage 1 replica 0"));
  EXPECT_THAT(outcome.error().message, ::testing::HasSubstr("the model has 20 classes"));
}

}  // namespace
}  // namespace funcpipe::testing
