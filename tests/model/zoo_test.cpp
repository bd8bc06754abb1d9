// The built-in models: they compute the same cut and uncut, and have the sizes they should.
#include "model/zoo.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <iostream>

#include "model/cut_run.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

struct ZooCase {
  const char* name;
  std::int64_t bound;  // of integer inputs
};

class ZooCuts : public ::testing::TestWithParam<ZooCase> {};

TEST_P(ZooCuts, CutsEqualTheUncutModel) {
  const std::string name = GetParam().name;
  const auto zoo = make_zoo_model(name, 3);
  ASSERT_TRUE(zoo) << describe(zoo.error());
  auto shapes = zoo->inputs;
  for (auto& shape : shapes) shape.shape[0] = 4;
  const auto inputs = testing::draw_inputs(shapes, GetParam().bound, 5);
  const auto model = Model::load("zoo:" + name, shapes, 3);
  ASSERT_TRUE(model) << describe(model.error());
  const int layers = static_cast<int>(model->description().layers.size());
  for (const bool train : {true, false}) {
    const auto expected = testing::run_uncut(make_zoo_model(name, 3)->module, inputs, train);
    const int stride = std::max(1, layers / 12);  // a dense enough sample of the deep ones
    for (int cut = 0; cut < layers; cut += stride) {
      const std::vector<int> cuts = cut == 0 ? std::vector<int>{} : std::vector<int>{cut};
      EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, cuts, inputs, train)), "")
          << name << " cut at layer " << cut << " of " << layers << (train ? ", training" : ", evaluating");
    }
    std::vector<int> everywhere;
    for (int cut = 1; cut < layers; ++cut) everywhere.push_back(cut);
    EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, everywhere, inputs, train)), "") << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Families, ZooCuts,
    ::testing::Values(ZooCase{"fashion-cnn", 256}, ZooCase{"char-gpt?layers=2&width=32&context=16", 256},
                      ZooCase{"resnet?size=32", 0}, ZooCase{"resnet?size=32&block=basic&input=uint8", 256},
                      ZooCase{"bert?layers=2&width=32&vocab=50&seq=8&dropout=0", 50},
                      ZooCase{"bert?layers=1&width=32&vocab=50&seq=8&dropout=0&embeddings=frozen", 50},
                      ZooCase{"amoebanet?filters=16&size=64", 0}));

struct SizeCase {
  const char* name;
  double mebibytes;
  int least_layers, most_layers;
};

class ZooSizes : public ::testing::TestWithParam<SizeCase> {};

// Totals of the FuncPipe paper's evaluation (float32, 1000 classes, 224 x 224; sequence length 64).
TEST_P(ZooSizes, MatchThePublishedTotals) {
  const auto& [name, mebibytes, least_layers, most_layers] = GetParam();
  const auto model = Model::load(std::string("zoo:") + name, {}, 1);
  ASSERT_TRUE(model) << describe(model.error());
  const auto& description = model->description();
  EXPECT_NEAR(static_cast<double>(description.parameter_bytes()) / kMiB, mebibytes, 1.0);
  EXPECT_GE(static_cast<int>(description.layers.size()), least_layers);
  EXPECT_LE(static_cast<int>(description.layers.size()), most_layers);
  Bytes activations = 0;
  std::size_t widest = 0;
  for (const auto& layer : description.layers) {
    activations += layer.activation_bytes;
    widest = std::max(widest, layer.border.size());
  }
  std::cerr << fmt::format("{}: {} layers, {} activations per sample, at most {} tensors at a border\n", name,
                           description.layers.size(), format_bytes(activations), widest);
}

INSTANTIATE_TEST_SUITE_P(Large, ZooSizes,
                         ::testing::Values(SizeCase{"resnet101", 170, 80, 304}, SizeCase{"bert-large", 1153, 26, 304},
                                           SizeCase{"amoebanet-d18", 467, 24, 304},
                                           SizeCase{"amoebanet-d36", 901, 42, 600}));

TEST(Zoo, SameSeedSameWeights) {
  const auto first = make_zoo_model("fashion-cnn", 1);
  const auto second = make_zoo_model("fashion-cnn", 1);
  const auto other = make_zoo_model("fashion-cnn", 2);
  const auto weight = [](const auto& zoo) { return zoo->module.attr("fc2").toModule().attr("weight").toTensor(); };
  EXPECT_TRUE(at::equal(weight(first), weight(second)));
  EXPECT_FALSE(at::equal(weight(first), weight(other)));
}

TEST(Zoo, UnknownNamesAndOptionsSayWhatIsNear) {
  const auto wrong_name = make_zoo_model("resnet-101", 1);
  ASSERT_FALSE(wrong_name);
  EXPECT_EQ(wrong_name.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(wrong_name.error().message, HasSubstr("zoo:resnet101"));
  EXPECT_THAT(wrong_name.error().hint, HasSubstr("zoo:bert-large"));
  const auto wrong_option = make_zoo_model("bert?layer=4", 1);
  ASSERT_FALSE(wrong_option);
  EXPECT_THAT(wrong_option.error().message, HasSubstr("`layers`"));
  const auto wrong_value = make_zoo_model("resnet?blocks=1,x", 1);
  ASSERT_FALSE(wrong_value);
  EXPECT_THAT(wrong_value.error().message, HasSubstr("separated by commas"));
  const auto unfit = make_zoo_model("bert?width=100&heads=3", 1);
  ASSERT_FALSE(unfit);
  EXPECT_THAT(unfit.error().message, HasSubstr("not a multiple"));
}

}  // namespace
}  // namespace funcpipe
