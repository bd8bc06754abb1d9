#include "config/job_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "base/files.h"
#include "config/options.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kGood = R"([job]
name = "fashion"

[model]
source = "zoo:fashion-cnn"

[data]
format = "idx"
train_input = "data/x.gz"
train_target = "/abs/y.gz"
shuffle_window = "64 MiB"

[optimizer]
lr = 1
momentum = 0.9

[training]
steps = 7
)";

JobConfig good(const std::vector<Override>& overrides = {}) {
  auto config = parse_job_config(kGood, "folder/job.toml", overrides);
  EXPECT_TRUE(config) << describe(config.error());
  return config ? *config : JobConfig{};
}

TEST(JobFile, IsReadOverDefaults) {
  const JobConfig config = good();
  EXPECT_EQ(config.job.name, "fashion");
  EXPECT_EQ(config.optimizer.lr, 1.0);
  EXPECT_EQ(config.optimizer.momentum, 0.9);
  EXPECT_EQ(config.training.steps, 7);
  EXPECT_EQ(config.data.shuffle_window, 64 * kMiB);
  EXPECT_EQ(config.training.global_batch, JobConfig{}.training.global_batch);
}

TEST(JobFile, CommandLineGoesOverFile) {
  const JobConfig config = good({{"training.steps", "100"},
                                 {"optimizer.lr", "1e-3"},
                                 {"data.shuffle", "false"},
                                 {"data.shuffle_window", "1GiB"},
                                 {"platform.name", "aws-lambda"},
                                 {"job.name", "7"}});
  EXPECT_EQ(config.training.steps, 100);
  EXPECT_EQ(config.optimizer.lr, 1e-3);
  EXPECT_FALSE(config.data.shuffle);
  EXPECT_EQ(config.data.shuffle_window, kGiB);
  EXPECT_EQ(config.platform.name, "aws-lambda");
  EXPECT_EQ(config.job.name, "7");
}

TEST(JobFile, RemembersWhatWasSetAndWhere) {
  const JobConfig config = good({{"training.steps", "100"}, {"parallelism.stages", "2", "--stages"}});
  EXPECT_EQ(config.given.at("optimizer.lr"), "folder/job.toml:14:6");
  EXPECT_EQ(config.given.at("training.steps"), "--training.steps");
  EXPECT_EQ(config.given.at("parallelism.stages"), "--stages");
  EXPECT_FALSE(config.given.contains("training.epochs"));
}

TEST(JobFile, PathsAreRelativeToTheFileButNotThoseOfTheCommandLine) {
  const JobConfig config = good({{"data.validation_input", "v.gz"}, {"data.validation_target", "w.gz"}});
  EXPECT_EQ(config.data.train_input, "folder/data/x.gz");
  EXPECT_EQ(config.data.train_target, "/abs/y.gz");
  EXPECT_EQ(config.data.validation_input, "v.gz");
  EXPECT_EQ(config.model.source, "zoo:fashion-cnn");
  EXPECT_EQ(config.job.folder, "runs");
  EXPECT_EQ(config.platform.name, "local");
}

TEST(JobFile, ModelAndPlatformFilesAreResolvedNamesAreNot) {
  const auto config = parse_job_config(
      "[model]\nsource='m.pt'\n[data]\ntrain_input='x'\ntrain_target='y'\n[platform]\nname='mine.toml'\n"
      "[job]\nfolder='out'\n[parallelism]\nplan='../p.json'\n",
      "a/b/net.toml");
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_EQ(config->model.source, "a/b/m.pt");
  EXPECT_EQ(config->platform.name, "a/b/mine.toml");
  EXPECT_EQ(config->job.folder, "a/b/out");
  EXPECT_EQ(config->parallelism.plan, "a/p.json");
  EXPECT_EQ(config->job.name, "net") << "the file's stem";
}

struct BadFile {
  std::string text;
  std::string place;
  std::string message;
  std::string hint;
};

TEST(JobFile, ErrorsSayWhereWhatAndTheWayOut) {
  const std::string good_text = kGood;
  const std::vector<BadFile> cases = {
      {"[job\nname = 1", "j.toml:1:", "not valid TOML", ""},
      {"[training]\nsteps = \n", "j.toml:2:", "not valid TOML", ""},
      {"[training]\nsteps = 1\nsteps = 2\n", "j.toml:3:", "not valid TOML", ""},
      {"[trainig]\nsteps = 1\n", "j.toml:1:2", "unknown section 'trainig'", "[training]"},
      {"steps = 1\n", "j.toml:1:1", "unknown section 'steps'", ""},
      {"training = 1\n", "j.toml:1:1", "is a section", "[training]"},
      {"[[training]]\nsteps = 1\n", "j.toml:1:", "is a section", ""},
      {"[training]\nsetps = 1\n", "j.toml:2:1", "unknown key 'setps' in [training]", "did you mean 'steps'?"},
      {"[training]\nmicrobatch = 1\n", "j.toml:2:1", "unknown key", "'micro_batch'"},
      {"[training]\nlr = 1\n", "j.toml:2:1", "unknown key 'lr'", "[optimizer]"},
      {"[training]\nxyzzy = 1\n", "j.toml:2:1", "unknown key", "known keys: steps"},
      {"[training]\nsteps = \"ten\"\n", "j.toml:2:9", "training.steps must be a whole number", ""},
      {"[training]\nsteps = [1]\n", "j.toml:2:9", "not an array", ""},
      {"[training]\nsteps = {a = 1}\n", "j.toml:2:9", "not a table", ""},
      {"[training]\nsteps = 1979-05-27\n", "j.toml:2:9", "not a date", ""},
      {"[training]\nmicro_batch = -4\n", "j.toml:2:15", "at least 1", ""},
      {"[optimizer]\nname = \"adan\"\n", "j.toml:2:8", "one of sgd, adam, adamw", "'adam'"},
      {"[optimizer]\nlr = nan\n", "j.toml:2:6", "a number", ""},
      {"", "j.toml", "model.source is not set", "zoo:"},
      {"[model]\nsource='zoo:x'\n", "j.toml", "data.train_input is not set", ""},
      {"[model]\nsource='zoo:x'\n[data]\ntrain_input='x'\n", "j.toml", "data.train_target is not set", ""},
      {"[model]\nsource='zoo:x'\n[data]\nformat='tokens'\ntrain_input='x'\n", "j.toml", "sequence_length", ""},
      {good_text + "micro_batch = 65\n", "j.toml:19:15", "micro_batch 65 is larger than global_batch 64", ""},
      {good_text + "[platform]\ns3_endpoint = 'http://x'\n", "j.toml", "go together", ""},
      {"[job]\nname = \"a b\"\n", "j.toml:2:8", "not a usable job name", ""},
      {"[job]\nname = \"..\"\n", "j.toml:2:8", "not a usable job name", ""},
  };
  for (const BadFile& c : cases) {
    const auto config = parse_job_config(c.text, "j.toml");
    ASSERT_FALSE(config) << c.text;
    EXPECT_EQ(config.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(config.error().place, StartsWith(c.place)) << c.text;
    EXPECT_THAT(config.error().message, HasSubstr(c.message)) << c.text;
    EXPECT_THAT(config.error().hint, HasSubstr(c.hint)) << c.text;
  }
}

// PyTorch refuses them, and only once the job runs.
TEST(JobFile, DecaysAreBelowOne) {
  for (const char* decay : {"optimizer.beta1", "optimizer.beta2"}) {
    EXPECT_TRUE(parse_job_config(kGood, "j.toml", {{decay, "0.9999"}}));
    for (const char* value : {"1", "1.0", "1.5", "nan"}) {
      const auto config = parse_job_config(kGood, "j.toml", {{decay, value}});
      ASSERT_FALSE(config) << decay << " " << value;
      EXPECT_THAT(config.error().message, HasSubstr("at least 0, below 1")) << value;
    }
  }
}

TEST(JobFile, OverrideErrorsNameTheFlag) {
  const auto error = [](const std::string& name, const std::string& value) {
    const auto config = parse_job_config(kGood, "j.toml", {{name, value}});
    EXPECT_FALSE(config);
    return config ? Error{} : config.error();
  };
  EXPECT_EQ(describe(error("training.steps", "-1")),
            "--training.steps: must be a whole number, at least 0, at most 1000000000000, not -1")
      << "the name is said once";
  EXPECT_THAT(error("training.steps", "1.5").message, HasSubstr("a whole number"));
  EXPECT_THAT(error("training.step", "1").hint, HasSubstr("'steps'"));
  EXPECT_THAT(error("trainin.steps", "1").hint, HasSubstr("[training]"));
  EXPECT_EQ(error("steps", "1").place, "--steps");
  EXPECT_EQ(error("training.micro_batch", "1000").place, "--training.micro_batch");
  EXPECT_THAT(error("data.shuffle", "maybe").message, HasSubstr("true or false"));
}

TEST(JobFile, MissingFileIsTheUsersMistake) {
  const auto config = load_job_config("/nonexistent/job.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(exit_code(config.error()), 2);
  EXPECT_EQ(config.error().place, "/nonexistent/job.toml");
}

TEST(JobFile, EveryOptionCanBeWrittenAndOverridden) {
  for (const OptionRecord& option : option_table()) {
    const OptionValue value = get_option(JobConfig{}, option);
    const auto* as_text = std::get_if<std::string>(&value);
    const std::string flag_text = as_text ? *as_text : default_text(option);
    JobConfig config;
    const auto parsed = parse_option_text(option, flag_text);
    ASSERT_TRUE(parsed) << option.name();
    const auto set = set_option(config, option, *parsed);
    EXPECT_TRUE(set) << option.name() << " " << flag_text << ": " << describe(set.error());
    EXPECT_EQ(to_json(config), to_json(JobConfig{})) << option.name();
  }
}

// Whatever bytes a file holds, reading it ends with a configuration or an error that has a place.
TEST(JobFile, SurvivesAnyMutation) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const std::string pieces[] = {"[",
                                "]",
                                "=",
                                "\"",
                                "'''",
                                "\n",
                                "{",
                                "}",
                                "nan",
                                "-inf",
                                "1e999",
                                "0x",
                                "\xff",
                                "\\u",
                                ".",
                                "#",
                                "99999999999999999999",
                                "true",
                                "1979-05-27T07:32:00Z",
                                std::string(1, '\0')};
  for (int round = 0; round < 4000; ++round) {
    std::string text = kGood;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int change = 0; change < changes && !text.empty(); ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 20);
          break;
        case 2:
          text.insert(at, pieces[random() % std::size(pieces)]);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 30));
      }
    }
    const auto config = parse_job_config(text, "j.toml");
    if (config) {
      EXPECT_TRUE(job_config_from_json(to_json(*config), "round trip")) << text;
    } else {
      EXPECT_EQ(config.error().code, ErrorCode::invalid_input) << text;
      EXPECT_THAT(config.error().place, StartsWith("j.toml")) << text;
      EXPECT_FALSE(config.error().message.empty()) << text;
    }
  }
}

TEST(JobFile, DeepNestingIsAnErrorNotACrash) {
  const auto config = parse_job_config("a = " + std::string(100000, '['), "j.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().place, StartsWith("j.toml:1:"));
}

}  // namespace
}  // namespace funcpipe
