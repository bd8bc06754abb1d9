// Models as PyTorch saves them, scripted and traced: every cut computes what libtorch computes on the uncut module.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>

#include "base/random.h"
#include "model/cut_run.h"
#include "model/saved_models.h"

namespace funcpipe {
namespace {

using ::testing::Contains;

const std::vector<TensorSpec> kImages{{"float32", {4, 3, 16, 16}}};
const std::vector<TensorSpec> kTokens{{"int64", {4, 12}}};
const std::vector<TensorSpec> kRows{{"float32", {4, 8}}};
const std::vector<TensorSpec> kRowsAndTokens{{"float32", {4, 8}}, {"int64", {4}}};

struct SavedCase {
  std::string file;
  std::vector<TensorSpec> inputs;
  int least_layers;
  bool has_modes;                     // training and evaluation differ by a switch, not baked in
  std::set<std::string> reused = {};  // parameters applied three times or more
};
void PrintTo(const SavedCase& saved, std::ostream* out) {
  *out << saved.file;
}

std::string path_of(const std::string& file) {
  return testing::saved_models() / (file + ".pt");
}

std::vector<int> all_cuts(const Model& model) {
  std::vector<int> cuts;
  for (int cut = 1; cut < static_cast<int>(model.description().layers.size()); ++cut) cuts.push_back(cut);
  return cuts;
}

class SavedModel : public ::testing::TestWithParam<SavedCase> {
 protected:
  void SetUp() override { ASSERT_FALSE(testing::saved_models().empty()) << "python3 with torch did not run"; }
};

TEST_P(SavedModel, EveryCutEqualsTheUncutModelBitByBit) {
  const auto& [file, shapes, least_layers, has_modes, reused] = GetParam();
  const auto model = Model::load(path_of(file), shapes, 0);
  ASSERT_TRUE(model) << describe(model.error());
  EXPECT_GE(static_cast<int>(model->description().layers.size()), least_layers);
  const auto inputs = testing::draw_inputs(shapes, 20, 5);
  for (const bool train : {true, false}) {
    if (!train && !has_modes) continue;
    const auto expected = testing::run_uncut(torch::jit::load(path_of(file)), inputs, train);
    EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, {}, inputs, train), reused), "") << "uncut stage";
    for (const int cut : all_cuts(*model)) {
      EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, {cut}, inputs, train), reused), "")
          << "cut at layer " << cut << (train ? ", training" : ", evaluating");
    }
    EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, all_cuts(*model), inputs, train), reused), "")
        << "all cuts at once";
  }
}

INSTANTIATE_TEST_SUITE_P(
    , SavedModel,
    ::testing::Values(SavedCase{"cnn.script", kImages, 3, true}, SavedCase{"cnn.trace", kImages, 3, false},
                      SavedCase{"transformer.script", kTokens, 6, true},
                      SavedCase{"transformer.trace", kTokens, 6, false}, SavedCase{"unet.script", kImages, 5, true},
                      SavedCase{"unet.trace", kImages, 5, false},
                      SavedCase{"control.script", kRows, 3, true, {"a.weight", "a.bias", "b.weight", "b.bias"}},
                      SavedCase{"masked.script", kRowsAndTokens, 4, true},
                      SavedCase{"masked.trace", kRowsAndTokens, 4, false}),
    [](const auto& instance) {
      std::string name = instance.param.file;
      std::ranges::replace(name, '.', '_');
      return name;
    });

TEST(Dropout, DrawsDependOnTheKeyAndNotOnTheCuts) {
  for (const std::string file : {"transformer_dropout.script", "transformer_dropout.trace"}) {
    const auto model = Model::load(path_of(file), kTokens, 0);
    ASSERT_TRUE(model) << describe(model.error());
    const auto inputs = testing::draw_inputs(kTokens, 100, 5);
    const RandomKey key{42, 7, 1};
    const auto whole = testing::run_cut(*model, {}, inputs, true, key);
    for (const int cut : all_cuts(*model)) {
      at::rand({static_cast<std::int64_t>(cut)});  // somebody else's draws in between
      EXPECT_EQ(testing::difference(whole, testing::run_cut(*model, {cut}, inputs, true, key)), "") << file << cut;
    }
    EXPECT_EQ(testing::difference(whole, testing::run_cut(*model, all_cuts(*model), inputs, true, key)), "");
    for (const RandomKey& other : {RandomKey{43, 7, 1}, RandomKey{42, 8, 1}, RandomKey{42, 7, 2}}) {
      EXPECT_NE(testing::difference(whole, testing::run_cut(*model, {}, inputs, true, other)), "");
    }
  }
}

TEST(Dropout, IsOffWhenEvaluating) {
  const auto model = Model::load(path_of("transformer_dropout.script"), kTokens, 0);
  ASSERT_TRUE(model) << describe(model.error());
  const auto inputs = testing::draw_inputs(kTokens, 100, 5);
  const auto expected = testing::run_uncut(torch::jit::load(path_of("transformer_dropout.script")), inputs, false);
  EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, all_cuts(*model), inputs, false)), "");
}

TEST(Dropout, IsLibtorchsOwnUnderTheLayersSeed) {
  for (const std::string file : {"one_dropout.script", "one_dropout.trace"}) {
    const auto model = Model::load(path_of(file), kRows, 0);
    ASSERT_TRUE(model) << describe(model.error());
    const auto& layers = model->description().layers;
    const auto random = std::ranges::find(layers, true, &LayerDescription::random);
    ASSERT_NE(random, layers.end());
    EXPECT_EQ(std::ranges::count(layers, true, &LayerDescription::random), 1);
    const auto inputs = testing::draw_inputs(kRows, 0, 5);
    const RandomKey key{42, 7, 1};
    at::manual_seed(mix(key.seed, {7, 1, static_cast<std::uint64_t>(random - layers.begin())}));
    const auto expected = testing::run_uncut(torch::jit::load(path_of(file)), inputs, true);
    EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, all_cuts(*model), inputs, true, key)), "") << file;
  }
}

TEST(TiedParameters, AreOneAndBelongToSeveralLayers) {
  for (const std::string file : {"transformer.script", "transformer.trace"}) {
    const auto model = Model::load(path_of(file), kTokens, 0);
    ASSERT_TRUE(model) << describe(model.error());
    const auto& description = model->description();
    int listed = 0;
    for (std::size_t index = 0; index < description.parameters.size(); ++index) {
      const auto& name = description.parameters[index].name;
      EXPECT_NE(name, "head.weight");
      if (name != "embedding.weight") continue;
      ++listed;
      EXPECT_THAT(description.layers.front().parameters, Contains(static_cast<int>(index)));
      EXPECT_THAT(description.layers.back().parameters, Contains(static_cast<int>(index)));
    }
    EXPECT_EQ(listed, 1);
  }
}

}  // namespace
}  // namespace funcpipe
