// `funcpipe timeline` with the real program: of a plan and of a job's results made up here, and what it refuses.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <sstream>

#include "base/files.h"
#include "cli/scratch_job.h"
#include "planner/made_profile.h"
#include "protocol/job_spec.h"
#include "schedule/plan_file.h"
#include "timeline/chrome_trace.h"
#include "timeline/made_events.h"
#include "timeline/traced_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class TimelineCommand : public ::testing::Test {
 protected:
  TimelineCommand() : job_("timeline_command"), profile_(made_profile(*load_platform("aws-lambda"))) {
    EXPECT_TRUE(save_profile(profile_, job_.folder() / "profile.json"));
    plan_.model = profile_.model.source;
    plan_.fingerprint = profile_.model.fingerprint;
    const int layers = profile_.layer_count();
    plan_.stages = {{.first_layer = 0, .end_layer = 4, .memory_mb = 4096},
                    {.first_layer = 4, .end_layer = layers, .memory_mb = 4096}};
    plan_.replicas = 2;
    plan_.global_batch = 16;
    plan_.micro_batch = 4;
    job_.write("plan.json", to_json(plan_).dump());
  }

  // The results folder of a job that was traced for 4 iterations.
  void write_results() const {
    JobSpec spec;
    spec.id = "job";
    spec.config.job.name = "made";
    spec.config.metrics.trace_iterations = 4;
    spec.plan = plan_;
    spec.model = profile_.model;
    spec.steps = spec.steps_per_epoch = 4;
    job_.write("runs/tiny/job.json", to_json(spec).dump());
    const auto programs = training_programs(plan_, profile_.model);
    ASSERT_TRUE(programs) << describe(programs.error());
    const Events events = played_by_seconds(*programs, 4);
    std::ostringstream trace;
    ChromeTraceWriter writer(trace);
    for (std::size_t rank = 0; rank < programs->size(); ++rank)
      writer.events((*programs)[rank], static_cast<int>(rank), 1e9, events[rank]);
    writer.close();
    job_.write("runs/tiny/trace.json", trace.str());
  }

  void expect_picture(const std::string& file) const {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_file((job_.folder() / file).c_str())) << file;
    EXPECT_TRUE(document.child("svg"));
  }
  void expect_refused(std::vector<std::string> arguments, const std::vector<std::string>& said) const {
    arguments.insert(arguments.begin(), "timeline");
    const ChildOutput output = job_.run(arguments);
    EXPECT_EQ(output.exit_code, 2) << output.out << output.err;
    for (const std::string& text : said) EXPECT_THAT(output.err, HasSubstr(text));
    EXPECT_THAT(output.err, Not(HasSubstr("terminate called")));
    EXPECT_EQ(output.out, "");
    EXPECT_FALSE(fs::exists(job_.folder() / "timeline.svg"));
  }

  ScratchJob job_;
  Profile profile_;
  Plan plan_;
};

TEST_F(TimelineCommand, DrawsAJobAndSaysWhereItsTimeWent) {
  write_results();
  const ChildOutput output = job_.run({"timeline", "runs/tiny"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  for (const char* text : {"made: iterations 2 to 3", "stage 1 replica 1", "waits for", "Critical path",
                           "compute of stage 0", "pipeline transfer", "timeline.svg"})
    EXPECT_THAT(output.out, HasSubstr(text));
  expect_picture("timeline.svg");

  const ChildOutput one = job_.run({"timeline", "runs/tiny", "--iterations", "1", "--out", "one.svg", "--json"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  expect_picture("one.svg");
  const json figures = json::parse(one.out);
  EXPECT_EQ(figures["first_iteration"], 1);
  EXPECT_EQ(figures["last_iteration"], 1);
  EXPECT_EQ(figures["workers"].size(), 4u);
  double path = 0;
  for (const auto& [name, seconds] : figures["critical_path_seconds"].items()) path += seconds.get<double>();
  EXPECT_NEAR(path, figures["iteration_seconds"], 1e-5);
  double shares = 0;
  for (const auto& [name, seconds] : figures["seconds"].items()) shares += seconds.get<double>();
  EXPECT_NEAR(shares, figures["iteration_seconds"], 1e-5);
  EXPECT_FALSE(figures["longest_gaps"].empty());
  EXPECT_NE(figures["longest_gaps"][0]["reason"], "");
}

TEST_F(TimelineCommand, DrawsAPlanInVirtualTimeAndASimulationsTraceAlike) {
  const ChildOutput output = job_.run({"timeline", "plan.json", "--profile", "profile.json"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  expect_picture("timeline.svg");
  const ChildOutput simulated =
      job_.run({"simulate", "plan.json", "--profile", "profile.json", "--iterations", "6", "--trace", "trace.json"});
  ASSERT_EQ(simulated.exit_code, 0) << simulated.err;
  const ChildOutput traced =
      job_.run({"timeline", "plan.json", "--profile", "profile.json", "--trace", "trace.json", "--out", "traced.svg"});
  ASSERT_EQ(traced.exit_code, 0) << traced.err;
  const auto line_with = [](const std::string& text, const std::string& words) {
    const std::size_t at = text.find(words);
    return at == std::string::npos ? "none" : text.substr(at, text.find('\n', at) - at);
  };
  for (const char* words : {"iterations 4 to 5", "stage 0 replica 0", "stage 1 replica 1", "Critical path"})
    EXPECT_EQ(line_with(output.out, words), line_with(traced.out, words));
  EXPECT_NE(line_with(output.out, "Critical path"), "none");
}

TEST_F(TimelineCommand, RefusesWhatItCannotDraw) {
  expect_refused({"runs/none"}, {"runs/none", "no such folder"});
  expect_refused({"plan.json"}, {"--profile"});
  expect_refused({"."}, {"job.json", "results folder"});
  write_results();
  expect_refused({"runs/tiny", "--iterations", "3-9"}, {"--iterations", "0-3 were traced"});
  expect_refused({"runs/tiny", "--iterations", "3-1"}, {"iteration 3 comes after 1"});
  expect_refused({"runs/tiny", "--iterations", "x"}, {"'x'"});
  expect_refused({"runs/tiny", "--out", "plan.json/t.svg"}, {"plan.json/t.svg", "cannot write"});
  expect_refused({"runs/tiny", "--profile", "profile.json"}, {"--profile", "leave it out"});

  const std::string spec = *read_file(job_.folder() / "runs/tiny/job.json");
  json other = json::parse(spec);
  other["plan"]["global_batch"] = 32;
  job_.write("runs/tiny/job.json", other.dump());
  expect_refused({"runs/tiny"}, {"trace.json", "is not the plan's"});
  job_.write("runs/tiny/job.json", spec);
  job_.write("runs/tiny/trace.json", "{\"traceEvents\": []}");
  expect_refused({"runs/tiny"}, {"no iteration was traced"});
  job_.write("runs/tiny/trace.json", "{\"traceEvents\": [");
  expect_refused({"runs/tiny"}, {"trace.json", "not a trace"});
  fs::remove(job_.folder() / "runs/tiny/trace.json");
  expect_refused({"runs/tiny"}, {"left no trace", "--metrics.trace_iterations"});

  expect_refused({"plan.json", "--profile", "none.json"}, {"none.json"});
  expect_refused({"plan.json", "--profile", "profile.json", "--platform", "aws-lamda"}, {"aws-lamda"});
  Plan shorter = plan_;
  shorter.stages.back().end_layer -= 1;
  job_.write("shorter.json", to_json(shorter).dump());
  expect_refused({"shorter.json", "--profile", "profile.json"}, {"shorter.json", "layers"});
  job_.write("trace.json", "[1]");
  expect_refused({"plan.json", "--profile", "profile.json", "--trace", "trace.json"}, {"trace.json", "not a trace"});
  expect_refused({"shorter.json", "--profile", "profile.json", "--trace", "trace.json"}, {"shorter.json", "layers"});
}

}  // namespace
}  // namespace funcpipe
