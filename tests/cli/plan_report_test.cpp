#include "cli/plan_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <sstream>

#include "cli/frontier_picture.h"
#include "planner/made_profile.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

class PlanReportTest : public ::testing::Test {
 protected:
  PlanReportTest()
      : platform_(*load_platform("aws-lambda")),
        profile_(made_profile(platform_)),
        task_{profile_, platform_},
        planning_() {
    task_.global_batch = 32;
    task_.replicas = {1, 2, 4, 8};
    planning_ = *plan_training(task_);
    own_ = *judge_cuts(task_, {{0, 4, 10240}, {4, 12, 10240}});
  }
  PlanReport report() { return {task_, planning_, own_, {"with more memory it is faster"}}; }

  Platform platform_;
  Profile profile_;
  PlanningTask task_;
  Planning planning_;
  std::optional<Judgement> own_;
};

TEST_F(PlanReportTest, ShowsEveryPlanTheChosenOneAndTheOwn) {
  const std::string text = plan_report(report(), 1000);
  const std::size_t heading = text.find(" MB\n");
  const std::string rows = text.substr(heading + 4, text.find("\n\n", heading) + 1 - (heading + 4));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), std::ssize(planning_.frontier) + 1) << rows;
  const PlannedPoint& chosen = planning_.chosen_point();
  EXPECT_THAT(text, HasSubstr("\n  =>"));
  EXPECT_THAT(text, HasSubstr("\n  own"));
  EXPECT_THAT(text, HasSubstr(memory_text(chosen.plan)));
  EXPECT_THAT(text, HasSubstr("Chosen (time and cost alike)"));
  EXPECT_THAT(text, HasSubstr(format_seconds(chosen.prediction.training)));
  EXPECT_THAT(text, HasSubstr("are for 1000 iterations (--iterations); funcpipe train takes its own length"));
  EXPECT_THAT(text, HasSubstr("an iteration takes"));
  EXPECT_THAT(text, HasSubstr("with more memory it is faster"));
  EXPECT_THAT(text, HasSubstr("than the chosen plan"));
}

TEST_F(PlanReportTest, FitsTheScreen) {
  for (const int width : {132, 100, 80}) {
    std::istringstream lines(plan_report(report(), width));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(std::ssize(line), width) << line;
  }
}

TEST_F(PlanReportTest, JsonHoldsPlansThatCanBeReadBack) {
  const nlohmann::json json = plan_report_json(report());
  ASSERT_EQ(json["frontier"].size(), planning_.frontier.size());
  EXPECT_EQ(json["chosen"], planning_.chosen);
  for (const nlohmann::json& point : json["frontier"]) EXPECT_TRUE(plan_from_json(point["plan"], "frontier"));
  EXPECT_EQ(json["own"]["plan"]["stages"][0]["end_layer"], 4);
  EXPECT_EQ(json["own"]["prediction"]["iteration_seconds"], own_->point.prediction.iteration);
  EXPECT_FALSE(json["explanation"].empty());
}

TEST_F(PlanReportTest, ThePictureHasEveryPlanAndNamesTwo) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(frontier_picture(planning_, own_, "a & b").c_str()));
  std::size_t circles = 0;
  std::string words;
  for (const pugi::xml_node node : document.child("svg")) {
    circles += std::string(node.name()) == "circle";
    words += node.child_value();
  }
  EXPECT_EQ(circles, planning_.frontier.size() + 2);
  EXPECT_THAT(words, HasSubstr("chosen: "));
  EXPECT_THAT(words, HasSubstr("yours: 2 stages"));
}

TEST_F(PlanReportTest, APictureOfOnePlanIsAPicture) {
  planning_.frontier.resize(1);
  planning_.chosen = 0;
  const std::string svg = frontier_picture(planning_, std::nullopt, "one");
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace funcpipe
