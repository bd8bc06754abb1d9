// Tables and pictures of comparisons with holes: systems of which nothing fits.
#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "comparison/made_ground.h"
#include "comparison/markdown.h"
#include "comparison/phrases.h"
#include "comparison/results.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

Comparison of_nothing() {
  Comparison comparison;
  comparison.selection.models = {"made"};
  comparison.selection.platforms = {"aws-lambda-70MBps"};
  comparison.selection.batches = {16};
  comparison.grounds.push_back(made_ground());
  Cell cell{.model = "made", .platform = "aws-lambda-70MBps", .batch = 16, .systems = {}};
  for (const System system : kSystems) cell.systems.push_back({.system = system});
  comparison.cells.push_back(std::move(cell));
  comparison.breakdowns.resize(1);
  comparison.all_reduce.resize(1);
  comparison.scaling.resize(1);
  comparison.ablations.resize(1);
  comparison.sensitivities.resize(1);
  comparison.sensitivities[0].rows.resize(std::size(kNetworks));
  return comparison;
}

TEST(Pages, SayWhereNothingFits) {
  for (const ResultFile& file : result_files(of_nothing())) {
    if (file.name == "plans.md") {
      EXPECT_THAT(file.content, HasSubstr("nothing fits"));
    }
    if (file.name == "README.md") {
      EXPECT_THAT(file.content, HasSubstr("none is feasible"));
    }
    if (file.name.ends_with(".svg")) {
      EXPECT_TRUE(pugi::xml_document().load_string(file.content.c_str())) << file.name;
    }
    EXPECT_THAT(file.content, ::testing::Not(HasSubstr("nan"))) << file.name;
  }
}

TEST(Markdown, IsPadded) {
  MarkdownTable table({"a", "long head"});
  table.row({"cell", "b"});
  EXPECT_EQ(table.str(), "| a    | long head |\n|------|-----------|\n| cell | b         |\n\n");
}

TEST(Phrases, RoundSensibly) {
  EXPECT_EQ(percent(-0.004), "0%");
  EXPECT_EQ(percent(-0.3), "-30%");
  EXPECT_EQ(seconds_text({.seconds = 12.34}), "12.3");
  EXPECT_EQ(dollars_text({.dollars = 0.0012345}), "1.23");
  EXPECT_TRUE(differs({.predicted_seconds = 1, .seconds = 1.06}));
  EXPECT_FALSE(differs({.predicted_seconds = 1, .seconds = 1.04}));
}

}  // namespace
}  // namespace funcpipe
