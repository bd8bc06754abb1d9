#include "base/visible.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

using namespace std::string_view_literals;

TEST(Visible, ControlCharactersCannotSteerATerminal) {
  EXPECT_EQ(visible("\x1b[2J\a\0\x7f\r"sv), R"(\x1b[2J\x07\x00\x7f\x0d)");
  EXPECT_EQ(visible("a\xc2\x9b"
                    "2Jb"),
            R"(a\xc2\x9b2Jb)")
      << "a C1 control, in UTF-8";
  EXPECT_EQ(visible("a\x9b"
                    "2Jb\xff"),
            R"(a\x9b2Jb\xff)")
      << "one that is no UTF-8";
}

TEST(Visible, TextStaysAsItIs) {
  const std::string text = "place: größe 中 🙂\n\thint: none";
  EXPECT_EQ(visible(text), text);
}

}  // namespace
}  // namespace funcpipe
