// `funcpipe train` with the real binaries, the embedded cloud and the real worker.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

json train(const ScratchJob& job, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"train", "job.toml", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ChildOutput output = job.run(arguments);
  EXPECT_EQ(output.exit_code, 0) << output.err;
  return json::parse(output.out, nullptr, false);
}

TEST(Train, LeavesAModelPyTorchLoadsAndAllRecords) {
  const ScratchJob job("train");
  const json result = train(job);
  ASSERT_TRUE(result.is_object());
  EXPECT_TRUE(job.nothing_runs());
  for (const char* file :
       {"model.pt", "state_dict.pt", "history.jsonl", "validation.json", "plan.json", "job.json", "bill.json"})
    EXPECT_TRUE(fs::exists(job.results() / file)) << file;
  EXPECT_FALSE(fs::exists(job.results() / ".partial"));

  const std::string history = *read_file(job.results() / "history.jsonl");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 6);
  const json bill = *read_json(job.results() / "bill.json");
  EXPECT_EQ(bill["total"]["invocations"], 4);
  EXPECT_GT(bill["total"]["gb_seconds"], 0);
  EXPECT_GT(bill["total"]["put"], 6 * 8) << "each replica sends 2 micro-batches forward and back, and shards";
  EXPECT_EQ(result["epochs"].size(), 1u);
  EXPECT_EQ(result["epochs"][0]["epoch"], 1.0);
  EXPECT_TRUE(result["epochs"][0].contains("validation_accuracy"));

  const auto python =
      run_child("/usr/bin/python3", {"-c",
                                     "import sys, torch\n"
                                     "model = torch.jit.load(sys.argv[1] + '/model.pt').eval()\n"
                                     "weights = torch.load(sys.argv[1] + '/state_dict.pt')\n"
                                     "own = model.state_dict()\n"
                                     "assert set(weights) == set(own), (set(weights), set(own))\n"
                                     "assert all(torch.equal(weights[k], own[k]) for k in own)\n"
                                     "assert model(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).shape == (2, 10)\n",
                                     job.results().string()});
  ASSERT_TRUE(python) << describe(python.error());
  EXPECT_EQ(python->exit_code, 0) << python->err;
}

std::vector<double> losses(const ScratchJob& job) {
  std::vector<double> values;
  std::istringstream lines(*read_file(job.results() / "history.jsonl"));
  for (std::string line; std::getline(lines, line);) values.push_back(json::parse(line)["loss"]);
  return values;
}

TEST(Train, TheSamePlanGivesTheSameBitsAndAnotherPlanTheSameTraining) {
  // BatchNorm sees micro-batches: the same ones whatever the plan.
  const ScratchJob job("same");
  train(job);
  const std::string first = *read_file(job.results() / "state_dict.pt");
  const std::vector<double> split = losses(job);
  job.write("runs/tiny/cloud/logs/old/x.log", "of a former run");
  train(job);
  EXPECT_FALSE(fs::exists(job.results() / "cloud/logs/old"));
  EXPECT_TRUE(fs::exists(job.results() / "cloud/logs"));
  EXPECT_TRUE(first == *read_file(job.results() / "state_dict.pt")) << "a second run over the first one's results";
  train(job, {"--stages", "1", "--replicas", "1"});
  const std::vector<double> alone = losses(job);
  ASSERT_EQ(split.size(), alone.size());
  for (std::size_t i = 0; i < split.size(); ++i)
    EXPECT_NEAR(split[i], alone[i], 1e-4 * std::abs(alone[i])) << "iteration " << i;
  EXPECT_LT(alone.back(), alone.front());
}

TEST(Train, SaysWhatItDoesInPlainLinesWithoutATerminal) {
  const ScratchJob job("lines");
  const ChildOutput output = job.run({"train", "job.toml", "--training.steps", "3"});
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_EQ(output.err.find('\033'), std::string::npos);
  EXPECT_THAT(output.err, HasSubstr("publishing data"));
  EXPECT_THAT(output.err, HasSubstr("starting 4 workers"));
  EXPECT_THAT(output.err, HasSubstr("iteration 3/3"));
  EXPECT_THAT(output.out, HasSubstr("Bill"));
  EXPECT_THAT(output.out, HasSubstr("state_dict.pt"));
}

TEST(Validate, ChecksWithoutTraining) {
  const ScratchJob job("validate");
  const ChildOutput output = job.run({"validate", "job.toml"});
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("stage 1"));
  EXPECT_FALSE(fs::exists(job.results()));
}

}  // namespace
}  // namespace funcpipe
