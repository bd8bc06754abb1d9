// The timeline of a job that was really trained.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

using nlohmann::json;

TEST(TimelineOfTraining, ExplainsEveryMomentOfARealJob) {
  const ScratchJob job("timeline");
  const ChildOutput trained =
      job.run({"train", "job.toml", "--training.steps", "4", "--metrics.trace_iterations", "4", "--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const ChildOutput output = job.run({"timeline", "runs/tiny", "--json"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const json figures = json::parse(output.out);
  EXPECT_EQ(figures["first_iteration"], 2);
  EXPECT_EQ(figures["last_iteration"], 3);
  const double seconds = figures["iteration_seconds"];
  EXPECT_GT(seconds, 0);
  double path = 0;
  for (const auto& [name, part] : figures["critical_path_seconds"].items()) path += part.get<double>();
  EXPECT_NEAR(path, 2 * seconds, 0.01 * seconds) << "from one update to the other without a break";
  for (const json& worker : figures["workers"]) {
    double sum = 0;
    for (const auto& [name, part] : worker["seconds"].items()) sum += part.get<double>();
    EXPECT_NEAR(sum, 2 * seconds, 0.01 * seconds) << worker;
    EXPECT_GT(worker["seconds"]["compute"], 0);
  }
  // Real downloads say when they asked.
  const json trace = *read_json(job.results() / "trace.json");
  bool asked = false;
  for (const json& event : trace["traceEvents"]) asked |= event.contains("args") && event["args"].contains("asked_us");
  EXPECT_TRUE(asked);
}

}  // namespace
}  // namespace funcpipe
