#include "base/svg.h"

#include <gmock/gmock.h>

#include <cmath>
#include <pugixml.hpp>

namespace funcpipe {
namespace {

using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

TEST(Svg, IsAnXmlFileWhateverTheWords) {
  Svg svg(100, 50, "a <b> & \"c\"");
  svg.text(10, 10, "1 < 2 & 3 > 2 \x01", {.bold = true});
  svg.line(0, 0, 10, 10, "#000");
  svg.path({{0, 0}, {10, 5}}, "#111");
  svg.hatching("idle", "white", "#ccc");
  svg.rectangle(1, 2, 3, 4, "url(#idle)", {.edge = "#111", .tooltip = "5 < 6\nand more"});
  svg.circle(5, 5, 2, "white", "#222");
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(svg.str().c_str()));
  const pugi::xml_node root = document.child("svg");
  EXPECT_STREQ(root.child_value("title"), "a <b> & \"c\"");
  EXPECT_STREQ(root.child_value("text"), "1 < 2 & 3 > 2  ");
  EXPECT_STREQ(root.find_child_by_attribute("rect", "stroke", "#111").child_value("title"), "5 < 6\nand more");
  EXPECT_STREQ(root.child("polyline").attribute("points").value(), "0.0,0.0 10.0,5.0");
}

TEST(Axis, PutsLargerFiguresFurther) {
  for (const auto& [least, most] : {std::pair{1.0, 1.5}, {0.0, 10.0}, {0.001, 900.0}, {5.0, 5.0}, {0.0, 0.0}}) {
    const Axis axis(least, most, 400, 20);
    EXPECT_GE(axis.position(least), axis.position(most));
    for (const double at : {axis.position(least), axis.position(most)}) {
      EXPECT_TRUE(std::isfinite(at)) << least << " " << most;
      EXPECT_LE(at, 400);
      EXPECT_GE(at, 20);
    }
  }
}

TEST(Axis, HasAFewRoundTicksWithin) {
  for (const auto& [least, most] : {std::pair{1.0, 1.5}, {0.0, 10.0}, {0.001, 0.9}, {0.07, 0.31}, {30.0, 35.0}}) {
    const std::vector<double> ticks = Axis(least, most, 0, 100).ticks();
    EXPECT_GE(ticks.size(), 2u) << least << " " << most;
    EXPECT_LE(ticks.size(), 20u) << least << " " << most;
    EXPECT_THAT(ticks, Each(Le(most * 2)));
    EXPECT_THAT(ticks, Each(Ge(least / 2)));
  }
}

}  // namespace
}  // namespace funcpipe
