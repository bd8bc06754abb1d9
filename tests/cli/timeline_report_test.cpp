// The report of a job whose every moment is known: its shares are those of the timeline, worker by worker and by stage.
#include "cli/timeline_report.h"

#include <gmock/gmock.h>

#include <numeric>
#include <regex>

#include "timeline/made_events.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::SizeIs;

constexpr int kWide = 200;  // columns: nothing is left out

std::string report_of(const Played& played, IterationRange range) {
  const CriticalPath path = critical_path(played, range);
  const Utilisation use = utilisation(played, path.from, path.to);
  const std::string name = "made";
  return timeline_report({name, played, path, use}, kWide);
}

// The percentages of the row that starts with these words: compute, pipeline, synchronisation, bubble, polling, other,
// download and upload busy.
std::vector<int> percents(const std::string& report, const std::string& row) {
  const std::size_t at = report.find(row);
  if (at == std::string::npos) return {};
  const std::string line = report.substr(at, report.find('\n', at) - at);
  static const std::regex number("(\\d+)%");
  std::vector<int> found;
  for (std::sregex_iterator match(line.begin(), line.end(), number), end; match != end; ++match)
    found.push_back(std::stoi((*match)[1]));
  return found;
}

TEST(TimelineReport, EveryWorkersSharesAreThoseOfItsTime) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const std::string report = report_of(Played(programs, two_stage_events(programs), {1, 4, 4}), {0, 1});
  // Of 17 s: 8.5, 4.5, 0, 3, 0 and 1 s. Its download lane is busy for 3 s: both loads share the first second.
  EXPECT_THAT(percents(report, "stage 0 replica 0"), ElementsAre(50, 26, 0, 18, 0, 6, 18, 12));
  // 6.5, 2.5, 0, 2, 0.5 and 5.5 s.
  EXPECT_THAT(percents(report, "stage 1 replica 0"), ElementsAre(38, 15, 0, 12, 3, 32, 15, 12));
}

TEST(TimelineReport, ManyWorkersAreAStagesMeanAndAServerIsAlone) {
  Plan plan = two_stage_plan();
  plan.replicas = 20;
  plan.global_batch = 40;
  constexpr std::size_t kCompute = 0, kSynchronisation = 2;
  const auto expect_whole = [](const std::string& report, const std::string& row, std::size_t at_work) {
    std::vector<int> shares = percents(report, row);
    ASSERT_THAT(shares, SizeIs(7)) << row << "\n" << report;  // nothing tells polling
    shares.resize(5);
    EXPECT_THAT(shares[at_work], Gt(0)) << report;
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0), 100, 3) << row << "\n" << report;
  };
  const std::vector<Program> programs = programs_of(plan);
  const std::string report = report_of(Played(programs, played_by_seconds(programs, 3), {1, 1, 1}), {1, 3});
  for (const char* row : {"stage 0, mean of 20", "stage 1, mean of 20"}) expect_whole(report, row, kCompute);

  plan.stages.pop_back();
  plan.replicas = 40;
  plan.sync = SyncAlgorithm::parameter_server;
  plan.server = "c5.9xlarge";
  std::vector<Program> served;
  for (const WorkerId worker : plan.workers())
    served.push_back(training_program(plan, {{.gradient_elements = 1000}}, worker));
  const Played played(served, played_by_seconds(served, 3), {1, 1, 1});
  const std::string beside = report_of(played, {1, 3});
  expect_whole(beside, "stage 0, mean of 40", kCompute);
  // It computes nothing but sums, and those count as synchronisation.
  expect_whole(beside, "the parameter server", kSynchronisation);
}

}  // namespace
}  // namespace funcpipe
