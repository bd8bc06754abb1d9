#include "cli/number_list.h"

#include <gmock/gmock.h>

namespace funcpipe {
namespace {

using ::testing::ElementsAre;

TEST(NumberList, ReadsNumbersAndRanges) {
  EXPECT_THAT(*parse_number_list("7", "--x"), ElementsAre(7));
  EXPECT_THAT(*parse_number_list("1,2,4", "--x"), ElementsAre(1, 2, 4));
  EXPECT_THAT(*parse_number_list("2-4,8", "--x"), ElementsAre(2, 3, 4, 8));
  EXPECT_EQ(parse_number_list("1-32", "--x")->size(), 32u);
}

TEST(NumberList, RefusesTheRestWithItsPlace) {
  for (const char* text :
       {"", ",", "1,", ",1", "0", "-1", "1-", "-", "4-2", "1.5", "a", "1 2", "99999999999", "1-99999"}) {
    const auto numbers = parse_number_list(text, "--x");
    ASSERT_FALSE(numbers) << text;
    EXPECT_EQ(exit_code(numbers.error()), 2);
    EXPECT_EQ(numbers.error().place, "--x");
  }
}

TEST(SizeList, ReadsMemoryAndVcpus) {
  EXPECT_THAT(*parse_size_list("2048", "--x"), ElementsAre(SizeChoice{2048}));
  EXPECT_THAT(*parse_size_list("2048:0.5,1024,4096:2", "--x"),
              ElementsAre(SizeChoice{2048, 0.5}, SizeChoice{1024}, SizeChoice{4096, 2}));
}

TEST(SizeList, RefusesTheRestWithItsPlace) {
  for (const char* text : {"", ",", "1024:", ":1", "1024:0", "1024:-1", "1024:x", "1024:1:2", "1024:nan", "1024:inf",
                           "0:1", "1024-2048", "1024,"}) {
    const auto sizes = parse_size_list(text, "--x");
    ASSERT_FALSE(sizes) << text;
    EXPECT_EQ(exit_code(sizes.error()), 2);
    EXPECT_EQ(sizes.error().place, "--x");
  }
}

}  // namespace
}  // namespace funcpipe
