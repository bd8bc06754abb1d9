// The built-in models: they compute the same cut and uncut, and have the sizes they should.
#include "model/zoo.h"

#include <gmock/gmock.h>

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

TEST_P(ZooCuts, EveryCutEqualsTheUncutModelBitByBit) {
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
    for (int cut = 0; cut < layers; ++cut) {
      const std::vector<int> cuts = cut == 0 ? std::vector<int>{} : std::vector<int>{cut};
      EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, cuts, inputs, train)), "")
          << name << " cut at layer " << cut << " of " << layers << (train ? ", training" : ", evaluating");
    }
    std::vector<int> everywhere;
    for (int cut = 1; cut < layers; ++cut) everywhere.push_back(cut);
    EXPECT_EQ(testing::difference(expected, testing::run_cut(*model, everywhere, inputs, train)), "") << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ZooCuts, ::testing::Values(ZooCase{"fashion-cnn", 256}));

}  // namespace
}  // namespace funcpipe
