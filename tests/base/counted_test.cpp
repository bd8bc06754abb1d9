#include "base/counted.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

TEST(Counted, OneIsSingularAllElseIsPlural) {
  EXPECT_EQ(counted(1, "worker"), "1 worker");
  EXPECT_EQ(counted(2, "worker"), "2 workers");
  EXPECT_EQ(counted(0, "stage"), "0 stages");
  EXPECT_EQ(counted(-1, "row"), "-1 rows");
  EXPECT_EQ(counted(3, "micro-batch"), "3 micro-batches");
  EXPECT_EQ(counted(10, "class"), "10 classes");
}

}  // namespace
}  // namespace funcpipe
