#include "profile/input_text.h"

#include <gmock/gmock.h>

namespace funcpipe {
namespace {

using ::testing::ElementsAre;

TEST(InputText, ReadsBothForms) {
  const auto inputs = parse_inputs({"float32:16x1x28x28", R"([{"dtype": "int64", "shape": [4, 64]}])"});
  ASSERT_TRUE(inputs) << describe(inputs.error());
  ASSERT_EQ(inputs->size(), 2U);
  EXPECT_EQ((*inputs)[0].dtype, "float32");
  EXPECT_THAT((*inputs)[0].shape, ElementsAre(16, 1, 28, 28));
  EXPECT_EQ((*inputs)[1].dtype, "int64");
  EXPECT_THAT((*inputs)[1].shape, ElementsAre(4, 64));
  EXPECT_TRUE(parse_inputs({})->empty());
}

TEST(InputText, RefusesWhatIsNone) {
  for (const char* text : {"", "float32", "float32:", "float31:4", "float32:4x", "float32:4x0", "float32:4,4", "[1]",
                           R"([{"dtype": "float32"}])", R"([{"dtype": "none", "shape": [4]}])", "[{"}) {
    const auto inputs = parse_inputs({text});
    ASSERT_FALSE(inputs) << text;
    EXPECT_EQ(exit_code(inputs.error()), 2) << text;
  }
}

}  // namespace
}  // namespace funcpipe
