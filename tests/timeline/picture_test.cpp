#include "timeline/picture.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "timeline/made_events.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string picture(const std::vector<Program>& programs, const Events& events, IterationRange range,
                    PictureOptions options) {
  const Played played(programs, events, {1, 1, 1});
  const CriticalPath path = critical_path(played, range);
  return timeline_picture(played, path, utilisation(played, path.from, path.to), options);
}

// Every tooltip, and every text with its place.
struct Words {
  std::vector<std::string> tooltips;
  std::string texts;
};
Words words_of(const std::string& svg) {
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(svg.c_str()));
  Words words;
  for (const pugi::xml_node& node : document.child("svg").children()) {
    if (node.child("title")) words.tooltips.emplace_back(node.child_value("title"));
    if (std::string_view(node.name()) == "text") words.texts += std::string(node.child_value()) + "\n";
  }
  return words;
}

TEST(Picture, SaysOfEveryBarAndGapWhatItWaitedFor) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const PictureOptions options{.title = "a <b> & c"};
  const std::string svg = picture(programs, two_stage_events(programs), {0, 1}, options);
  EXPECT_EQ(svg, picture(programs, two_stage_events(programs), {0, 1}, options)) << "the same bytes";
  const Words words = words_of(svg);
  EXPECT_THAT(words.texts, HasSubstr("a <b> & c"));
  for (const char* text : {"stage 0", "stage 1", "replica 0", "compute\n", "download\n", "upload\n", "seconds\n",
                           "critical path", "idle", "iteration 0"})
    EXPECT_THAT(words.texts, HasSubstr(text));
  EXPECT_THAT(words.tooltips, testing::Contains("forward of micro-batch 1, iteration 0\n7.00 s to 8.00 s: 1.00 s\n"
                                                "waits for activation of micro-batch 1 from stage 0 replica 0\n"
                                                "on the critical path"));
  EXPECT_THAT(words.tooltips, testing::Contains(HasSubstr("idle for 1.00 s: 6.00 s to 7.00 s\nwaits for activation")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Picture, RoundedTimesDoNotPutOperationsOfOneLaneBelowEachOther) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const auto height = [&](Seconds longer) {
    Events events = two_stage_events(programs);
    for (auto& of_worker : events)
      for (OpEvent& event : of_worker) event.end += longer;
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(picture(programs, events, {0, 1}, {}).c_str()));
    return std::string(document.child("svg").attribute("viewBox").value());
  };
  EXPECT_NE(height(0), "");
  EXPECT_EQ(height(1e-8), height(0));
  EXPECT_NE(height(0.1), height(0)) << "these do overlap";
}

TEST(Picture, OfManyWorkersShowsSomeAndSaysSo) {
  Plan plan = two_stage_plan();
  plan.replicas = 30;
  plan.global_batch = 60;
  const std::vector<Program> programs = programs_of(plan);
  const Events events = played_by_seconds(programs, 3);
  const std::string few = picture(programs, events, {1, 3}, {.title = "many", .most_workers = 32});
  EXPECT_THAT(words_of(few).texts, HasSubstr("32 of 60 workers"));
  const std::string all = picture(programs, events, {1, 3}, {.title = "many", .most_workers = 100});
  EXPECT_THAT(words_of(all).texts, Not(HasSubstr("of 60 workers")));
  EXPECT_GT(all.size(), few.size());
}

}  // namespace
}  // namespace funcpipe
