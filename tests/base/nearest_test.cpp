#include "base/nearest.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

TEST(Nearest, FindsWhatWasMeantOrNothing) {
  const std::vector<std::string> words = {"global_batch", "micro_batch", "steps", "epochs", "lr"};
  EXPECT_EQ(nearest("global-batch", words), "global_batch");
  EXPECT_EQ(nearest("globalbatch", words), "global_batch");
  EXPECT_EQ(nearest("setps", words), "steps");
  EXPECT_EQ(nearest("Epoch", words), "epochs");
  EXPECT_EQ(nearest("temperature", words), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), words), "");
}

}  // namespace
}  // namespace funcpipe
