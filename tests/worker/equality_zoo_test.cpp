// Small sizes of the built-in models, trained cut and whole.
#include <gtest/gtest.h>

#include "in_process_job.h"
#include "model/model.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

struct ZooCase {
  std::string source;
  TensorSpec target;
  int classes;
  int vocabulary;  // integer inputs are below it; 0: fractions
};

void PrintTo(const ZooCase& zoo, std::ostream* out) {
  *out << zoo.source;
}

class ZooEquality : public ::testing::TestWithParam<ZooCase> {};

TEST_P(ZooEquality, CutIsWhole) {
  const ZooCase& zoo = GetParam();
  const auto loaded = Model::load(zoo.source, {}, 1);
  ASSERT_TRUE(loaded) << describe(loaded.error());
  TestModel model{zoo.source, zoo.source, loaded->description().inputs, zoo.target, zoo.classes};
  ASSERT_EQ(model.inputs.size(), 1u);
  model.inputs[0].shape[0] = 2;
  model.vocabulary = zoo.vocabulary;
  Training training{.model = model, .global_batch = 6, .micro_batch = 2, .rows = 12};
  const ModelDescription description = describe_model(training);
  const int layers = static_cast<int>(description.layers.size());
  ASSERT_GT(layers, 2);

  for (const int replicas : {1, 2}) {
    // BatchNorm over two samples of one pixel, as the deep models end in here, amplifies rounding by orders of
    // magnitude in each forward: replicas, whose sums round differently, can be compared after one step only.
    training.steps = replicas == 1 ? 3 : 1;
    const Tensors plain = train_plainly(training, replicas);
    for (const std::vector<int>& cuts : {std::vector{layers / 2}, std::vector{1, layers - 1}}) {
      MemoryStore store;
      const auto trained = train(training, {cuts, replicas}, store);
      ASSERT_TRUE(trained) << describe(trained.error());
      std::vector<int> users(description.parameters.size());  // stages that use each parameter
      int first = 0;
      for (std::size_t stage = 0; stage <= cuts.size(); ++stage) {
        const int end = stage < cuts.size() ? cuts[stage] : layers;
        for (const int index : description.parameters_of(first, end)) ++users[static_cast<std::size_t>(index)];
        first = end;
      }
      const bool tied = std::any_of(users.begin(), users.end(), [](int count) { return count > 1; });
      if (replicas == 1 && !tied)
        EXPECT_EQ(first_difference(trained->tensors, plain), "") << "cut at " << cuts[0];
      else
        EXPECT_LE(relative_error(trained->tensors, plain), 1e-6) << "cut at " << cuts[0] << ", " << replicas;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Small, ZooEquality,
    ::testing::Values(ZooCase{"zoo:fashion-cnn?width=4", {"uint8", {}}, 10, 256},
                      ZooCase{"zoo:char-gpt?layers=2&width=16&heads=2&context=8&vocab=20", {"uint8", {8}}, 20, 20},
                      ZooCase{"zoo:bert?layers=2&width=16&heads=2&vocab=30&seq=6&dropout=0", {"int64", {}}, 2, 30},
                      ZooCase{"zoo:resnet?size=32", {"int64", {}}, 10, 0},
                      ZooCase{"zoo:amoebanet?filters=16&size=32", {"int64", {}}, 10, 0}),
    [](const ::testing::TestParamInfo<ZooCase>& test) {
      const std::string name = test.param.source.substr(4, test.param.source.find('?') - 4);
      return name.substr(0, name.find('-'));
    });

}  // namespace
}  // namespace funcpipe::testing
