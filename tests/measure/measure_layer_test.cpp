// Bytes exactly, and seconds as far as a busy machine allows, of layers whose every tensor is known.
#include "measure/measure_layer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <limits>

#include "measure/memory_ledger.h"
#include "model/model.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
};

// A module of these parameters with forward(self, x) as given, opened as a model for `input`.
Model make_model(const std::vector<Parameter>& parameters, const std::string& body, const TensorSpec& input) {
  torch::jit::Module module("tests.Layer");
  for (const Parameter& parameter : parameters)
    module.register_parameter(parameter.name, at::randn(parameter.shape).mul_(0.1).requires_grad_(true), false);
  module.define("def forward(self, x):\n" + body);
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".pt");
  module.save(path.string());
  auto model = Model::load(path.string(), {input}, 1);
  if (!model) throw std::runtime_error(describe(model.error()));
  return std::move(*model);
}

LayerMeasurement measured(const Model& model, int layer, const LayerTrial& trial = {}) {
  auto archive = model.stage(layer, layer + 1);
  if (!archive) throw std::runtime_error(describe(archive.error()));
  auto result = measure_layer(std::move(*archive), model.description(), layer, trial);
  if (!result) throw std::runtime_error(describe(result.error()));
  return *result;
}

TEST(MemoryLedger, CountsThisThreadsTensorsToTheByte) {
  MemoryLedger ledger;
  {
    const at::Tensor first = at::empty({1000});
    EXPECT_EQ(ledger.live(), 4000);
    { const at::Tensor second = at::empty({500}); }
    EXPECT_EQ(ledger.live(), 4000);
    EXPECT_EQ(ledger.peak(), 6000);
    ledger.restart_peak();
    EXPECT_EQ(ledger.peak(), 4000);
  }
  EXPECT_EQ(ledger.live(), 0);
}

TEST(MeasureLayer, LinearKeepsItsOutputAlone) {
  const Model model = make_model({{"weight", {32, 16}}, {"bias", {32}}},
                                 "  return torch.linear(x, self.weight, self.bias)\n", {"float32", {4, 16}});
  ASSERT_EQ(model.description().layers.size(), 1U);
  const LayerMeasurement layer = measured(model, 0);
  EXPECT_TRUE(layer.time.fits);
  EXPECT_EQ(layer.sizes.activations, 4 * 32 * 4);
  EXPECT_EQ(layer.sizes.border, 0);  // the last layer's outputs go nowhere
  // At least the incoming gradient and the weight's new one.
  EXPECT_GE(layer.sizes.working, 4 * 32 * 4 + 32 * 16 * 4);
  EXPECT_LE(layer.sizes.working, 4 * (4 * 32 * 4 + 32 * 16 * 4));
  EXPECT_GT(layer.time.forward, 0);
  EXPECT_GT(layer.time.backward, 0);
}

TEST(MeasureLayer, ReluKeepsItsResultAndFreesWhatItIsMadeFrom) {
  const Model model =
      make_model({{"weight", {32, 16}}}, "  return torch.relu(torch.linear(x, self.weight))\n", {"float32", {4, 16}});
  // What the operations make, as a description has it, is twice as much.
  EXPECT_EQ(model.description().layers[0].activation_bytes, 2 * 4 * 32 * 4);
  EXPECT_EQ(measured(model, 0).sizes.activations, 4 * 32 * 4);
}

TEST(MeasureLayer, ConvolutionKeepsItsOutput) {
  const Model model =
      make_model({{"weight", {8, 3, 3, 3}}}, "  return torch.conv2d(x, self.weight, None, [1, 1], [1, 1])\n",
                 {"float32", {2, 3, 10, 10}});
  EXPECT_EQ(measured(model, 0).sizes.activations, 2 * 8 * 10 * 10 * 4);
}

TEST(MeasureLayer, BordersAreThoseOfTheDescription) {
  const Model model =
      make_model({{"a", {64, 16}}, {"b", {8, 64}}},
                 "  return torch.linear(torch.tanh(torch.linear(x, self.a)), self.b)\n", {"float32", {4, 16}});
  ASSERT_EQ(model.description().layers.size(), 2U);
  const LayerMeasurement first = measured(model, 0), second = measured(model, 1);
  EXPECT_EQ(first.sizes.border, 4 * 64 * 4);
  EXPECT_EQ(first.sizes.border_gradient, 4 * 64 * 4);
  EXPECT_EQ(second.sizes.border, 0);
  // Each layer's input is counted where it was made, so together they keep what the whole model keeps.
  const Bytes whole = 4 * 64 * 4 + 4 * 8 * 4;
  EXPECT_GE(first.sizes.activations + second.sizes.activations, whole);
  EXPECT_LE(first.sizes.activations + second.sizes.activations, whole + 4 * 64 * 4);  // the product before tanh
}

TEST(MeasureLayer, TokensAreDrawnFromTheTableThatTakesThem) {
  const Model model = make_model({{"table", {50, 8}}}, "  return torch.embedding(self.table, x)\n", {"int64", {4, 6}});
  const LayerMeasurement layer = measured(model, 0);
  EXPECT_EQ(layer.sizes.activations, 4 * 6 * 8 * 4);
  EXPECT_GT(layer.time.backward, 0);
}

TEST(MeasureLayer, SecondsGrowWithWorkAndWithTheRateOfCpuSeconds) {
  const auto make = [](int width) {
    return make_model({{"weight", {width, width}}}, "  return torch.linear(x, self.weight)\n",
                      {"float32", {64, width}});
  };
  const Model small = make(128), large = make(1024);  // 64 times the work
  // The least of three: a machine busy with other work takes longer, never shorter.
  const auto seconds = [](const Model& model, double rate) {
    Seconds least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
      const LayerTime time = measured(model, 0, {.repeats = 15, .seconds_per_cpu_second = rate}).time;
      least = std::min(least, time.forward + time.backward);
    }
    return least;
  };
  const Seconds once = seconds(large, 1);
  EXPECT_GT(once, 8 * seconds(small, 1));
  const double ratio = seconds(large, 4) / once;
  EXPECT_GT(ratio, 2);
  EXPECT_LT(ratio, 8);
}

TEST(MeasureLayer, RefusesAnotherLayersFile) {
  const Model model =
      make_model({{"a", {64, 16}}, {"b", {8, 64}}},
                 "  return torch.linear(torch.tanh(torch.linear(x, self.a)), self.b)\n", {"float32", {4, 16}});
  const auto wrong = measure_layer(*model.stage(1, 2), model.description(), 0, {});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("not of layer 0"));
  EXPECT_FALSE(measure_layer("garbage", model.description(), 0, {}));
}

}  // namespace
}  // namespace funcpipe
