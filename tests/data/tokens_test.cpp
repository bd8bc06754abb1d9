#include <gmock/gmock.h>

#include <cstring>

#include "data/readers.h"
#include "scratch_folder.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

std::string text(const Column& column) {
  return {reinterpret_cast<const char*>(column.bytes.get()),
          static_cast<std::size_t>(column.rows * column.row.bytes())};
}

using Tokens = ScratchFolder;

TEST_F(Tokens, ShiftsTheTargetByOne) {
  const auto sets = read_tokens(file("t", "abcdefghijk"), "uint8", 3, 0);
  ASSERT_TRUE(sets);
  EXPECT_EQ(text(sets->train.input), "abcdefghi");
  EXPECT_EQ(text(sets->train.target), "bcdefghij");
  EXPECT_EQ(sets->train.input.rows, 3);
  EXPECT_EQ(sets->validation.input.rows, 0);
}

TEST_F(Tokens, TheLastTokenIsOnlyATarget) {
  EXPECT_EQ(read_tokens(file("t", "abcdef"), "uint8", 3, 0)->train.input.rows, 1);
  EXPECT_EQ(read_tokens(file("t", "abcdefg"), "uint8", 3, 0)->train.input.rows, 2);
}

TEST_F(Tokens, KeepsTheTailForValidation) {
  const auto sets = read_tokens(file("t", "abcdefghijk"), "uint8", 2, 0.4);
  ASSERT_TRUE(sets);
  EXPECT_EQ(text(sets->train.input), "abcdef");
  EXPECT_EQ(text(sets->validation.input), "ghij");
  EXPECT_EQ(text(sets->validation.target), "hijk");
}

TEST_F(Tokens, WidensUint16) {
  const auto sets = read_tokens(file("t", std::string("\1\0\377\377\3\0\4\0", 8)), "uint16", 3, 0);
  ASSERT_TRUE(sets);
  EXPECT_EQ(sets->train.input.row.dtype, "int32");
  std::int32_t row[3];
  std::memcpy(row, sets->train.input.bytes.get(), 12);
  EXPECT_THAT(row, ::testing::ElementsAre(1, 65535, 3));
  std::memcpy(row, sets->train.target.bytes.get(), 12);
  EXPECT_THAT(row, ::testing::ElementsAre(65535, 3, 4));
}

TEST_F(Tokens, RefusesWithAWayOut) {
  const auto refused = [&](const Result<Datasets>& sets, const std::string& message) {
    ASSERT_FALSE(sets);
    EXPECT_EQ(sets.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(sets.error().message, HasSubstr(message));
    EXPECT_FALSE(sets.error().place.empty());
  };
  refused(read_tokens(file("t", "abc"), "uint8", 3, 0), "needs 3 tokens and one more");
  refused(read_tokens(file("t", "abc"), "uint16", 1, 0), "whole number of uint16");
  refused(read_tokens(file("t", "abc"), "uint9", 1, 0), "not known");
  refused(read_tokens(file("t", "abc"), "uint8", 0, 0), "at least 1");
  refused(read_tokens(file("t", "abc"), "uint8", 1, 1.5), "below 1");
  refused(read_tokens(file("t", "abc"), "uint8", 1, 0.1), "empty");
  refused(read_tokens(file("t", ""), "uint8", 1, 0), "empty");
}

}  // namespace
}  // namespace funcpipe
