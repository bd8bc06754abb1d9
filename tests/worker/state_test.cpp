// Models that write to their own state in forward, and models whose parameters share memory: trained in stages and
// replicas they have the bits of a plain loop, or are refused by name. The models: make_state_models.py.
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>
#include <limits>

#include "in_process_job.h"
#include "model/model.h"
#include "model/saved_models.h"
#include "plain_training.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

using ::testing::HasSubstr;

// The folder with the models, written once.
const std::filesystem::path& models() {
  static const struct Folder {
    Folder() {
      std::string pattern = (std::filesystem::temp_directory_path() / "funcpipe-state-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) return;
      path = pattern;
      if (run_python(FUNCPIPE_SOURCE_DIR "/tests/worker/make_state_models.py " + pattern) != 0) path.clear();
    }
    ~Folder() {
      std::error_code ignored;
      if (!path.empty()) std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
  } folder;
  return folder.path;
}

struct Case {
  const char* name;
  int layers;               // at least so many
  const char* shared = "";  // what replicas share, first
  int classes = 4;
};

TestModel model_of(const Case& c) {
  TestModel model{c.name, models() / (std::string(c.name) + ".pt"), {{"float32", {2, 8}}}, {"uint8", {}}, c.classes};
  if (c.classes == 20) {
    model.inputs = {{"int64", {2, 8}}};
    model.vocabulary = 20;
  }
  return model;
}

Training training_of(const Case& c) {
  return {.model = model_of(c), .global_batch = 8, .micro_batch = 2, .steps = 5, .rows = 24};
}

Tensors run(const Training& training, const Cutting& cutting,
            Seconds lifetime = std::numeric_limits<double>::infinity()) {
  MemoryStore store;
  auto outcome = train(training, cutting, store, lifetime);
  EXPECT_TRUE(outcome) << describe(outcome.error());
  return outcome ? std::move(outcome->tensors) : Tensors{};
}

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

const std::vector<Case> kStateful = {
    {"SharedNorm", 3},
    {"CumulativeNorm", 3},
    {"Hidden", 2, "h"},
    {"Gated", 2, "h"},
    {"Switched", 2, "h"},
    {"RunningScale", 2, "scale"},
    {"Steps", 1, "steps"},
    {"Queue", 3, "queue"},
    {"CodeBook", 3, "codes"},
    {"Momentum", 3, "k.weight"},
    {"LastSeen", 3},
    {"Clamped", 1, "e.weight", 20},
    {"ClampedAlone", 3, "e.weight", 20},
    {"WrittenData", 2, "b.weight"},
    {"SeenInEvaluation", 3, "seen"},
    {"Spectral", 3, "a.u"},
    {"Normed", 3},
    {"History", 2, "last"},
};

class Stateful : public ::testing::TestWithParam<Case> {};

// A parameter used by two stages is summed per stage first: rounding (docs/architecture.md, "Correct to the bit").
void expect_equal(const Tensors& trained, const Tensors& plain, bool tied) {
  if (tied)
    EXPECT_LE(relative_error(trained, plain), 1e-6);
  else
    EXPECT_EQ(first_difference(trained, plain), "");
}

TEST_P(Stateful, TrainsAsThePlainLoop) {
  const Training training = training_of(GetParam());
  const ModelDescription model = describe_model(training);
  const int layers = static_cast<int>(model.layers.size());
  ASSERT_GE(layers, GetParam().layers);
  for (const int replicas : {1, 2}) {
    for (const auto& cuts : cut_sets(layers)) {
      for (const auto order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
        const Cutting cutting{cuts, replicas, SyncAlgorithm::pipelined, order};
        SCOPED_TRACE(fmt::format("cuts [{}], {} replicas, {}", fmt::join(cuts, ","), replicas, to_string(order)));
        expect_equal(run(training, cutting), train_in_order_of(training, cutting),
                     stages_share_parameters(model, cuts));
      }
    }
  }
}

// State is where it was when a function hands over to the next one, in every iteration.
TEST_P(Stateful, SurvivesHandOver) {
  const Training training = training_of(GetParam());
  const int layers = static_cast<int>(describe_model(training).layers.size());
  const Cutting cutting{cut_sets(layers).back(), 2};
  EXPECT_EQ(first_difference(run(training, cutting, 0), run(training, cutting)), "");
}

TEST_P(Stateful, IsNotChangedByBeingDescribed) {
  const TestModel test = model_of(GetParam());
  const auto model = Model::load(test.file, test.inputs, 1);
  ASSERT_TRUE(model) << describe(model.error());
  const auto path = models() / "described.pt";
  ASSERT_TRUE(model->save_module(path));
  EXPECT_EQ(first_difference(tensors_of(torch::jit::load(path)), tensors_of(torch::jit::load(test.file))), "");
}

TEST_P(Stateful, SharesWithReplicasWhatTheLossDependsOn) {
  std::vector<std::string> shared;
  for (const LayerDescription& layer : describe_model(training_of(GetParam())).layers) {
    EXPECT_EQ(layer.shared_state.empty(), layer.shared_state_bytes == 0);
    shared.insert(shared.end(), layer.shared_state.begin(), layer.shared_state.end());
  }
  EXPECT_EQ(shared.empty() ? "" : shared.front(), GetParam().shared);
}

INSTANTIATE_TEST_SUITE_P(State, Stateful, ::testing::ValuesIn(kStateful),
                         [](const auto& instance) { return std::string(instance.param.name); });

// Validation goes through the same state, in order, as a plain loop would: what evaluation writes to stays.
TEST(Stateful, KeepsWhatEvaluationWrites) {
  Training training = training_of({"SeenInEvaluation", 3});
  training.validation_rows = 6;
  training.adjust = [](JobConfig& config) { config.validation.micro_batch = 2; };
  const Tensors alone = run(training, {{1}});
  // 24 rows are 3 steps an epoch: rounds of 3 micro-batches at an epoch's end and at the job's.
  EXPECT_EQ(alone.at("seen").item<float>(), 6);
  const Tensors replicated = run(training, {{1}, 2});
  EXPECT_GT(replicated.at("seen").item<float>(), 0);
}

// With the bits of the plain loop where nothing is added twice, and of its optimiser's order of adding where parameters
// share memory.
TEST(SharedMemory, IsOneParameter) {
  for (const auto& [name, exact] :
       {std::pair("Transposed", false), {"Slices", true}, {"Flat", false}, {"ChannelsLast", true}}) {
    Training training = training_of({name, 2});
    // It would decay under each name.
    training.adjust = [](JobConfig& config) { config.optimizer.weight_decay = 0; };
    const ModelDescription model = describe_model(training);
    const Tensors plain = train_every_name(training);
    const int layers = static_cast<int>(model.layers.size());
    EXPECT_GE(layers, 2) << name;
    for (const auto& cuts : cut_sets(layers)) {
      SCOPED_TRACE(fmt::format("{}, cuts [{}]", name, fmt::join(cuts, ",")));
      const Tensors trained = run(training, {cuts});
      if (exact) {
        EXPECT_EQ(first_difference(trained, plain), "");
      }
      EXPECT_LE(relative_error(trained, plain), 1e-6);
      EXPECT_LE(relative_error(run(training, {cuts, 2}), plain), 1e-6);
    }
  }
}

TEST(SharedMemory, StaysSharedInTheResult) {
  const Training training = training_of({"Transposed", 2});
  const Tensors trained = run(training, {{1}});
  EXPECT_TRUE(trained.at("c.weight").equal(trained.at("a.weight").t()));
}

TEST(Refused, ByName) {
  const auto refusal = [](const char* name) {
    const TestModel test = model_of({name, 1});
    const auto model = Model::load(test.file, test.inputs, 1);
    return model ? std::string("taken") : describe(model.error());
  };
  EXPECT_THAT(refusal("KeepsGraph"),
              ::testing::AllOf(HasSubstr("buffer h keeps the gradient graph"), HasSubstr("detach()")));
  EXPECT_THAT(refusal("TwoNames"), HasSubstr("forward assigns to before the memory of last, which"));
  EXPECT_THAT(refusal("Outside"),
              HasSubstr("forward changes, by `add_`, a tensor that is no parameter or buffer of the module"));
  EXPECT_THAT(refusal("Overlapping"), HasSubstr("parameters a.weight and b.weight share a part of their memory"));
  EXPECT_THAT(refusal("Expanded"), HasSubstr("several elements of parameter b.bias lie on the same memory"));
  EXPECT_THAT(refusal("WrittenInPart"),
              HasSubstr("forward writes to low, which shares a part of its memory with high"));
}

}  // namespace
}  // namespace funcpipe::testing
