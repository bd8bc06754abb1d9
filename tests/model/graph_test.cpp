// Models whose forward holds numbers, lists, dictionaries, hooks, forks: every cut gives what PyTorch itself gave.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>

#include "model/compute_threads.h"
#include "model/cut_run.h"
#include "model/saved_models.h"
#include "model/tensor_type.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

struct GraphCase {
  std::string file;
  int least_layers;
};
void PrintTo(const GraphCase& graph, std::ostream* out) {
  *out << graph.file;
}

// What one step of PyTorch gave, as make_graph_models.py wrote it down.
struct Plain {
  at::Tensor input;
  testing::StepResult step;
};

std::string dotted(std::string name) {
  for (auto at = name.find("__"); at != std::string::npos; at = name.find("__", at)) name.replace(at, 2, ".");
  return name;
}

Plain plain_step(const std::string& file) {
  const std::string name = file.substr(0, file.find('.'));
  const auto written = torch::jit::load(testing::graph_models() / (name + ".plain.pt"));
  Plain plain;
  for (const auto& buffer : written.named_buffers()) {
    const std::string key = dotted(buffer.name);
    if (key == "x") plain.input = buffer.value;
    if (key == "y") plain.step.outputs = {buffer.value};
    if (key.starts_with("gradient.")) plain.step.gradients[key.substr(9)] = buffer.value;
    if (key.starts_with("buffer.")) plain.step.buffers[key.substr(7)] = buffer.value;
  }
  return plain;
}

// Gradients that PyTorch did not make are left out; buffers that no forward writes are the model's own.
std::string difference(const Plain& plain, testing::StepResult cut) {
  std::erase_if(cut.gradients, [](const auto& entry) { return !entry.second.defined(); });
  if (cut.gradients.size() != plain.step.gradients.size()) return "the number of gradients";
  auto buffers = plain.step.buffers;
  std::erase_if(buffers, [&](const auto& entry) { return !cut.buffers.contains(entry.first); });
  return testing::difference({plain.step.outputs, plain.step.gradients, buffers}, cut);
}

class GraphModel : public ::testing::TestWithParam<GraphCase> {
 protected:
  void SetUp() override {
    ASSERT_FALSE(testing::graph_models().empty()) << "python3 with torch did not run";
    set_compute_threads(1);  // as make_graph_models.py does: another number gives other bits
  }
};

TEST_P(GraphModel, EveryCutEqualsPyTorchBitByBit) {
  const auto& [file, least_layers] = GetParam();
  const Plain plain = plain_step(file);
  const auto model = Model::load(testing::graph_models() / (file + ".pt"), {spec_of(plain.input)}, 0);
  ASSERT_TRUE(model) << describe(model.error());
  const int layers = static_cast<int>(model->description().layers.size());
  std::string whole;
  for (const auto& layer : model->description().layers) whole += layer.name + ": " + layer.whole_because + "\n";
  EXPECT_GE(layers, least_layers) << whole;
  EXPECT_EQ(difference(plain, testing::run_cut(*model, {}, {plain.input}, true)), "") << "uncut stage";
  std::vector<int> all;
  for (int cut = 1; cut < layers; ++cut) {
    all.push_back(cut);
    EXPECT_EQ(difference(plain, testing::run_cut(*model, {cut}, {plain.input}, true)), "") << "cut at layer " << cut;
  }
  EXPECT_EQ(difference(plain, testing::run_cut(*model, all, {plain.input}, true)), "") << "all cuts at once";
}

INSTANTIATE_TEST_SUITE_P(
    , GraphModel,
    ::testing::Values(
        GraphCase{"BatchSize.script", 4}, GraphCase{"BatchSize.trace", 4}, GraphCase{"AllSizes.script", 4},
        GraphCase{"AllSizes.trace", 4}, GraphCase{"InputSize.script", 3}, GraphCase{"InputSize.trace", 3},
        GraphCase{"Scalars.script", 3}, GraphCase{"Item.script", 3}, GraphCase{"Lists.script", 3},
        GraphCase{"Placed.script", 3}, GraphCase{"Appended.script", 4}, GraphCase{"Appended.trace", 4},
        GraphCase{"Reordered.script", 4}, GraphCase{"Reordered.trace", 4}, GraphCase{"KeptWhileChanged.script", 4},
        GraphCase{"Filled.script", 4}, GraphCase{"Filled.trace", 4}, GraphCase{"ChangedInBranch.script", 1},
        GraphCase{"Skips.script", 6}, GraphCase{"Skips.trace", 6}, GraphCase{"Nested.script", 3},
        GraphCase{"Chunks.script", 2}, GraphCase{"OptionalOutput.script", 3}, GraphCase{"OptionalFirst.script", 2},
        GraphCase{"DictOutput.script", 4}, GraphCase{"NamedOutput.script", 3}, GraphCase{"ReversedOutput.script", 3},
        GraphCase{"ReversedOutput.trace", 3}, GraphCase{"Lstm.script", 3}, GraphCase{"Lstm.trace", 3},
        GraphCase{"LstmBothWays.script", 3}, GraphCase{"LstmBothWays.trace", 3}, GraphCase{"LstmPacked.script", 3},
        GraphCase{"GruWithState.script", 3}, GraphCase{"GruWithState.trace", 3}, GraphCase{"RnnByHand.script", 3},
        GraphCase{"Hooked.script", 3}, GraphCase{"Autocast.script", 3}, GraphCase{"WithoutGradient.script", 2},
        GraphCase{"Forked.script", 3}, GraphCase{"ForkedInLoops.script", 4}, GraphCase{"Prints.script", 3},
        GraphCase{"OnShape.script", 3}, GraphCase{"SharedInLoop.script", 3}, GraphCase{"Attributes.script", 3},
        GraphCase{"Attention.script", 3}, GraphCase{"ResidualInPlace.script", 2}, GraphCase{"SumsInHalf.script", 2},
        GraphCase{"ComparedInPlace.script", 2}, GraphCase{"Differentiated.script", 2}, GraphCase{"Switched.script", 2},
        GraphCase{"ReturnsEarly.script", 2}, GraphCase{"EncoderLayers.script", 3}, GraphCase{"PrintsLists.script", 3}),
    [](const auto& instance) {
      std::string name = instance.param.file;
      std::ranges::replace(name, '.', '_');
      return name;
    });

}  // namespace
}  // namespace funcpipe
