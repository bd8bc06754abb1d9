// Loading, describing, saving and taking trained stages back; files that are no TorchScript.
#include "model/model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"
#include "base/files.h"
#include "model/cut_run.h"
#include "model/saved_models.h"
#include "model/stage.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

const std::vector<TensorSpec> kImages{{"float32", {4, 3, 16, 16}}};
const std::vector<TensorSpec> kTokens{{"int64", {4, 12}}};

std::string path_of(const std::string& file) {
  return testing::saved_models() / (file + ".pt");
}

Error error_of(const std::string& path, const std::vector<TensorSpec>& inputs = kImages) {
  const auto model = Model::load(path, inputs, 0);
  if (model) return {ErrorCode::failed, "no error", "", ""};
  return model.error();
}

// Adds `step` to every parameter and changing buffer of a stage and writes it again.
std::string train_a_little(const std::string& archive, int step) {
  auto stage = Stage::load(archive);
  FUNCPIPE_CHECK(stage.has_value(), "{}", describe(stage.error()));
  for (const auto& list : {stage->parameters(), stage->buffers()}) {
    for (const at::Tensor& tensor : list) tensor.detach().add_(step);
  }
  return *stage->save();
}

TEST(Model, TakesTrainedStagesBackAndPyTorchLoadsTheResult) {
  for (const std::string file : {"cnn.script", "transformer.trace"}) {
    const auto& inputs = file[0] == 'c' ? kImages : kTokens;
    auto model = Model::load(path_of(file), inputs, 0);
    ASSERT_TRUE(model) << describe(model.error());
    const int layers = static_cast<int>(model->description().layers.size());
    for (const auto& [first, end] : {std::pair(0, layers / 2), std::pair(layers / 2, layers)}) {
      const auto archive = model->stage(first, end);
      ASSERT_TRUE(archive) << describe(archive.error());
      const auto absorbed = model->absorb(train_a_little(*archive, 1));
      // A tied parameter is in both stages, and the second sees what the first absorbed: it grew twice.
      ASSERT_TRUE(absorbed) << describe(absorbed.error());
    }
    const auto folder = testing::saved_models();
    ASSERT_TRUE(model->save_module(folder / "trained.pt"));
    ASSERT_TRUE(model->save_state_dict(folder / "trained.state.pt"));

    const auto before = torch::jit::load(path_of(file));
    const auto after = torch::jit::load(folder / "trained.pt");
    for (const auto& parameter : before.named_parameters()) {
      const bool tied = parameter.name == "head.weight" || parameter.name == "embedding.weight";
      const double growth = tied ? 2 : 1;
      bool found = false;
      for (const auto& trained : after.named_parameters()) {
        if (trained.name != parameter.name) continue;
        found = true;
        EXPECT_TRUE(at::allclose(trained.value, parameter.value + growth)) << parameter.name;
      }
      EXPECT_TRUE(found) << parameter.name;
    }
    EXPECT_EQ(
        testing::run_python(fmt::format("{}/python/load_trained.py {} {} > /dev/null", FUNCPIPE_SOURCE_DIR,
                                        (folder / "trained.pt").string(), (folder / "trained.state.pt").string())),
        0)
        << "PyTorch cannot load the module or its state dict, or they differ";
  }
}

TEST(Model, OfTheZooIsLoadedByPyTorchAndComesBackTheSame) {
  const auto model = Model::load("zoo:fashion-cnn", {}, 3);
  ASSERT_TRUE(model) << describe(model.error());
  const auto folder = testing::saved_models();
  ASSERT_TRUE(model->save_module(folder / "fashion.pt"));
  ASSERT_TRUE(model->save_state_dict(folder / "fashion.state.pt"));
  EXPECT_EQ(testing::run_python(fmt::format("{}/python/load_trained.py {} {} > /dev/null", FUNCPIPE_SOURCE_DIR,
                                            (folder / "fashion.pt").string(), (folder / "fashion.state.pt").string())),
            0);
  const auto again = Model::load(folder / "fashion.pt", {{"uint8", {1, 1, 28, 28}}}, 0);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->description().layers.size(), model->description().layers.size());
  const auto inputs = testing::draw_inputs(model->description().inputs, 256, 1);
  EXPECT_EQ(
      testing::difference(testing::run_cut(*model, {}, inputs, true), testing::run_cut(*again, {1}, inputs, true)), "");
}

TEST(Model, TheExamplesForPythonUsersWork) {
  const auto folder = (testing::saved_models() / "examples").string();
  ASSERT_EQ(testing::run_python(FUNCPIPE_SOURCE_DIR "/python/save_model.py " + folder + " > /dev/null"), 0);
  for (const std::string name : {"scripted.pt", "traced.pt"}) {
    const auto model = Model::load(folder + "/" + name, {{"uint8", {4, 1, 28, 28}}}, 0);
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_GE(model->description().layers.size(), 3u);
    EXPECT_EQ(model->description().layers.back().name, "head");
  }
}

TEST(Model, DescriptionIsTheSameEachTimeAndSurvivesJson) {
  const auto first = Model::load(path_of("cnn.script"), kImages, 0);
  ASSERT_TRUE(first);
  const auto json = to_json(first->description());
  // libtorch's passes place constants differently once in some dozens of times.
  for (int i = 0; i < 150; ++i) {
    const auto again = Model::load(path_of("cnn.script"), kImages, 0);
    ASSERT_TRUE(again);
    ASSERT_EQ(json, to_json(again->description())) << i;
  }
  const auto parsed = model_description_from_json(json, "here");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(to_json(*parsed), json);

  const auto& description = first->description();
  EXPECT_EQ(description.source, "cnn.script.pt");
  EXPECT_EQ(description.micro_batch, 4);
  ASSERT_EQ(description.layers.size(), 3u);
  EXPECT_EQ(description.layers[0].name, "0");  // Sequential's first
  ASSERT_EQ(description.layers[0].border.size(), 1u);
  EXPECT_EQ(description.layers[0].border[0].shape, (std::vector<std::int64_t>{4, 8, 16, 16}));
  EXPECT_TRUE(description.layers[0].border[0].requires_grad);
  EXPECT_EQ(description.layers[1].border[0].shape, (std::vector<std::int64_t>{4, 8 * 8 * 8}));  // pooled, flattened
  EXPECT_EQ(description.layers[0].buffer_bytes, 8 * 4 + 8 * 4 + 8);
  EXPECT_EQ(description.layers[0].data_inputs, std::vector<int>{0});
  EXPECT_TRUE(description.layers[1].data_inputs.empty());
  EXPECT_FALSE(description.layers[0].random);
  EXPECT_EQ(description.outputs.at(0).shape, (std::vector<std::int64_t>{4, 10}));
}

TEST(Model, SavedInEvaluationModeTrainsAllTheSame) {
  const auto model = Model::load(path_of("eval"), {{"float32", {4, 8}}}, 0);
  ASSERT_TRUE(model) << describe(model.error());
  EXPECT_TRUE(model->description().outputs.at(0).requires_grad);
}

TEST(ModelErrors, FilesThatAreNoTorchScriptSayWhatTheyAre) {
  EXPECT_EQ(error_of("/nowhere/model.pt").code, ErrorCode::not_found);
  for (const auto& [file, kind] : {std::pair("state_dict", "a state dict"), std::pair("old", "pickle")}) {
    const auto error = error_of(path_of(file));
    EXPECT_EQ(error.code, ErrorCode::invalid_input);
    EXPECT_THAT(error.message, HasSubstr(kind));
    EXPECT_THAT(error.hint, HasSubstr("torch.jit.script(model).save(path)"));
  }
  const auto text = path_of("text");
  std::ofstream(text) << "import torch\n";
  EXPECT_THAT(error_of(text).message, HasSubstr("a text file"));
  const auto cut_off = path_of("cut_off");
  ASSERT_TRUE(write_file(cut_off, read_file(path_of("cnn.script"))->substr(0, 2000)));
  EXPECT_EQ(error_of(cut_off).code, ErrorCode::invalid_input);
  EXPECT_THAT(error_of(testing::saved_models()).message, HasSubstr("folder"));
}

TEST(ModelErrors, InputsThatDoNotFitCarryTheModelsOwnMessage) {
  const auto error = error_of(path_of("cnn.script"), {{"float32", {4, 5, 16, 16}}});
  EXPECT_EQ(error.code, ErrorCode::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("float32[4, 5, 16, 16]"));
  EXPECT_THAT(error.message, HasSubstr("channels"));
  EXPECT_THAT(error_of(path_of("cnn.script"), {kImages[0], kImages[0]}).message, HasSubstr("1 data inputs"));
  EXPECT_THAT(error_of(path_of("cnn.script"), {}).message, HasSubstr("data inputs"));
  EXPECT_THAT(error_of(path_of("double"), {{"float64", {4, 8}}}).message, HasSubstr("only float32"));
  EXPECT_EQ(error_of("zoo:fashion-cn", {}).code, ErrorCode::invalid_input);
}

TEST(StageErrors, DamagedOrForeignFilesAreRefused) {
  auto model = Model::load(path_of("cnn.script"), kImages, 0);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->stage(0, 99).error().code, ErrorCode::invalid_input);
  const auto archive = *model->stage(0, 1);
  for (const auto& bad : {std::string(), archive.substr(0, archive.size() / 2), std::string("not a stage")}) {
    EXPECT_EQ(Stage::load(bad).error().code, ErrorCode::corrupt);
  }
  EXPECT_EQ(Stage::load(*read_file(path_of("cnn.script"))).error().code, ErrorCode::corrupt);
  const auto foreign = Model::load("zoo:fashion-cnn", {}, 0)->stage(0, 1);
  EXPECT_EQ(model->absorb(*foreign).error().code, ErrorCode::invalid_input);
}

// TorchScript forgets persistent=False; the file may say what the state dict holds.
TEST(Save, StateDictHasTheNamesThatTheFileSays) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("funcpipe-names-{}", ::getpid());
  std::filesystem::create_directories(folder);
  torch::jit::Module module("__torch__.Masked");
  module.register_parameter("w", at::ones({4, 4}).set_requires_grad(true), false);
  module.register_buffer("kept", at::ones({4}));
  module.register_buffer("mask", at::ones({4}));
  module.define("def forward(self, x):\n    return torch.linear(x, self.w) * self.mask + self.kept\n");
  const auto names_in = [&](const torch::jit::ExtraFilesMap& extra) {
    module.save(folder / "in.pt", extra);
    auto model = Model::load(folder / "in.pt", {{"float32", {2, 4}}}, 1);
    EXPECT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->description().perhaps_not_in_state_dict.size(), extra.empty() ? 2u : 0u);
    // What is trained may be trained on.
    EXPECT_TRUE(model->save_module(folder / "out.pt"));
    model = Model::load(folder / "out.pt", {{"float32", {2, 4}}}, 1);
    EXPECT_TRUE(model->save_state_dict(folder / "state.pt"));
    const std::string bytes = *read_file(folder / "state.pt");
    std::set<std::string> names;
    for (const auto& item : torch::jit::pickle_load({bytes.begin(), bytes.end()}).toGenericDict())
      names.insert(item.key().toStringRef());
    return names;
  };
  EXPECT_EQ(names_in({}), (std::set<std::string>{"kept", "mask", "w"}));
  EXPECT_EQ(names_in({{"state_dict_names", "w\nkept"}}), (std::set<std::string>{"kept", "w"}));
  module.save(folder / "in.pt", {{"state_dict_names", "w\nother"}});
  const auto refused = Model::load(folder / "in.pt", {{"float32", {2, 4}}}, 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(describe(refused.error()), HasSubstr("has other, which the module lacks"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace funcpipe
