#include "cli/table.h"

#include <gmock/gmock.h>

#include <sstream>

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) width = std::max(width, line.size());
  return width;
}

const Table kExample = {{{"name", "first figure", "second", "words about it"},
                         {"a", "1", "22", "one two three four five six seven eight nine ten"},
                         {"longer", "1000", "2", "short"}},
                        {"second", "first figure"},
                        20};

TEST(Table, AlignsColumnsAndStacksHeadings) {
  Table table{{{"name", "two words"}, {"a", "1"}, {"bcd", "100"}}, {}};
  EXPECT_EQ(drawn(table, 80),
            "          two\n"
            "  name  words\n"
            "  a         1\n"
            "  bcd     100\n");
}

TEST(Table, BreaksTheWordsOfTheLastColumnOnlyWhereTheyDoNotFit) {
  EXPECT_THAT(drawn(kExample, 200), HasSubstr("one two three four five six seven eight nine ten\n"));
  const std::string narrow = drawn(kExample, 60);
  EXPECT_LE(widest(narrow), 60u);
  EXPECT_THAT(narrow, HasSubstr("second"));
  EXPECT_THAT(narrow, HasSubstr("ten"));
}

TEST(Table, DropsColumnsBeforeTheWordsGetTooNarrow) {
  const std::string narrow = drawn(kExample, 38);
  EXPECT_LE(widest(narrow), 38u);
  EXPECT_THAT(narrow, Not(HasSubstr("second")));
  EXPECT_THAT(narrow, HasSubstr("ten"));
}

TEST(Wrapped, BreaksAtBlanksAndIndents) {
  EXPECT_EQ(wrapped("- one two three", 9, 2), "- one two\n  three");
  EXPECT_EQ(wrapped("short", 9, 2), "short");
  EXPECT_EQ(wrapped("averyveryverylongword and more", 9, 2), "averyveryverylongword\n  and\n  more");
  EXPECT_EQ(wrapped("  - one two", 9, 4), "  - one\n    two");
}

}  // namespace
}  // namespace funcpipe
