// Models of the user's own, as PyTorch saved them, through the real binaries: what they print, raise and return.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A job whose model is `file` of those that scripted_models.py writes.
class PythonModel : public ::testing::Test {
 protected:
  PythonModel() : job_("python-model") {
    const auto written =
        job_.run({"options", "--markdown"}, "/usr/bin/python3 " FUNCPIPE_SOURCE_DIR "/tests/cli/scripted_models.py");
    EXPECT_EQ(written.exit_code, 0) << written.err;
    const std::string text = *read_file(job_.folder() / "job.toml");
    const auto begin = text.find("source = "), end = text.find('\n', begin);
    source_ = text.substr(begin, end - begin);
  }

  ChildOutput train(const std::string& file, std::vector<std::string> more = {}) {
    job_.replace(source_, "source = \"" + file + "\"");
    source_ = "source = \"" + file + "\"";
    std::vector<std::string> arguments{"train", "job.toml", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return job_.run(arguments);
  }

  std::string logs() const {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(job_.results() / "cloud/logs"))
      if (entry.is_regular_file()) text += *read_file(entry.path());
    return text;
  }

  ScratchJob job_;
  std::string source_;
};

TEST_F(PythonModel, PrintsToTheFunctionsLogAndNotIntoTheAnswer) {
  const ChildOutput output = train("prints.pt");
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_TRUE(nlohmann::json::parse(output.out, nullptr, false).is_object()) << output.out;
  EXPECT_THAT(logs(), HasSubstr("{\"hidden\": 16 }"));
}

TEST_F(PythonModel, RaisesWhatTheUserReads) {
  const ChildOutput output = train("raises.pt");
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("ValueError: expected 9 features, got 784\nin 4 rows"));
}

TEST_F(PythonModel, IsTrainedOnTheFirstOfItsOutputs) {
  EXPECT_EQ(train("outputs.pt").exit_code, 0);
  const auto trained = *read_json(job_.results() / "job.json");
  ASSERT_EQ(trained["model"]["outputs"].size(), 1u);
  EXPECT_EQ(trained["model"]["outputs"][0]["shape"], (std::vector<int>{4, 10}));
}

TEST_F(PythonModel, IsTrainedOnTheOutputThatTheJobNames) {
  ASSERT_EQ(train("outputs.pt").exit_code, 0);
  const std::string on_the_first = *read_file(job_.results() / "state_dict.pt");
  const std::vector<std::pair<std::string, std::string>> others{
      {"outputs.pt", "out"}, {"hiddenfirst.pt", "out"}, {"pair.pt", "out"}, {"pair.pt", "1"}};
  for (const auto& [file, name] : others) {
    fs::remove_all(job_.results());
    const ChildOutput output = train(file, {"--model.output", name, "--stages", "2"});
    EXPECT_EQ(output.exit_code, 0) << file << ": " << output.err;
    EXPECT_TRUE(on_the_first == *read_file(job_.results() / "state_dict.pt")) << file << " " << name;
  }
}

TEST_F(PythonModel, IsRefusedWhereItHasNoOutputOfThatName) {
  for (const std::string file : {"outputs.pt", "hiddenfirst.pt", "pair.pt", "names.pt"}) {
    const ChildOutput output = train(file, {"--model.output", "logits"});
    EXPECT_EQ(output.exit_code, 2) << file;
    EXPECT_THAT(output.err, HasSubstr("logits")) << file;
    if (file == "names.pt") continue;  // it returns one tensor
    EXPECT_THAT(output.err, HasSubstr("output in [model]")) << file;
  }
}

TEST_F(PythonModel, SaysWhyItCannotBeCutFurther) {
  const ChildOutput output = train("names.pt", {"--stages", "3"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("`names` (List[str], used in scripted_models.py line 62) is needed later"));
}

}  // namespace
}  // namespace funcpipe
