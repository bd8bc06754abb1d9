// A loss that is no number ends the job with the layer where it began, wherever the cuts are.
#include "worker/divergence.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include "in_process_job.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::vector<int>> kCuts = {{}, {1}, {2}, {1, 2}};

Error error_of(const Training& training, const Cutting& cutting) {
  MemoryStore store;
  const auto outcome = train(training, cutting, store);
  if (outcome) return {ErrorCode::failed, "it was trained", "", ""};
  return outcome.error();
}

TEST(Divergence, NamesTheLayerWhoseOutputIsTheFirst) {
  const Training training{.model = quotient_model()};
  ASSERT_EQ(describe_model(training).layers.size(), 3u);
  const Error uncut = error_of(training, {});
  EXPECT_THAT(uncut.message, AllOf(HasSubstr("the loss is "), HasSubstr(" in iteration "),
                                   HasSubstr("the output of layer b is the first that is not finite")));
  for (const auto& cuts : kCuts)
    for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward})
      EXPECT_EQ(error_of(training, {.cuts = cuts, .order = order}).message, uncut.message);
}

TEST(Divergence, NamesTheLayerWhoseGradientIsTheFirst) {
  const Training training{.model = root_model()};
  for (const auto& cuts : kCuts)
    EXPECT_THAT(error_of(training, {.cuts = cuts}).message,
                AllOf(HasSubstr("the loss is nan in iteration 1"),
                      HasSubstr("the gradient of layer b (b) was not finite in iteration 0")));
}

TEST(Divergence, IsNoticedAfterTheLastUpdateToo) {
  EXPECT_THAT(error_of({.model = root_model(), .steps = 1}, {}).message,
              HasSubstr("the gradient of layer b (b) was not finite in iteration 0"));
}

TEST(Divergence, ARateThatIsTooHighEndsTheJobWhereverItIsCut) {
  Training training{.model = regression_model(), .steps = 200};
  training.adjust = [](JobConfig& config) { config.optimizer.lr = 1e20; };
  const Error uncut = error_of(training, {});
  EXPECT_THAT(uncut.message, HasSubstr("in iteration "));
  EXPECT_THAT(uncut.hint, HasSubstr("optimizer.lr"));
  EXPECT_EQ(error_of(training, {.cuts = {1}}).message, uncut.message);
}

TEST(Divergence, MarksAreNoGradients) {
  EXPECT_EQ(marked_divergence(divergence_mark(2.5, 3), 3), 2.5);
  EXPECT_EQ(marked_divergence(divergence_mark(2.5, 0), 0), 2.5);
  EXPECT_FALSE(marked_divergence(divergence_mark(2.5, 2), 3));
  EXPECT_FALSE(marked_divergence({at::empty({0}), at::full({}, 1.0, at::kDouble)}, 2));
  EXPECT_FALSE(marked_divergence({}, 0));
}

}  // namespace
}  // namespace funcpipe::testing
