#include "config/options.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

TEST(Options, AreNamedOnceInKnownSectionsWithAMeaning) {
  std::set<std::string> sections, names;
  for (const SectionRecord& section : section_table()) sections.insert(section.name);
  for (const OptionRecord& option : option_table()) {
    EXPECT_TRUE(sections.contains(option.section)) << option.name();
    EXPECT_TRUE(names.insert(option.name()).second) << option.name() << " twice";
    EXPECT_FALSE(option.meaning.empty()) << option.name();
    EXPECT_EQ(option.meaning.back(), '.') << option.name();
  }
}

TEST(Options, DefaultsAreWithinTheirRanges) {
  for (const OptionRecord& option : option_table()) {
    JobConfig config;
    const auto set = set_option(config, option, get_option(JobConfig{}, option));
    EXPECT_TRUE(set) << option.name() << ": " << describe(set.error());
  }
}

// A table entry that points at another entry's field would show here.
TEST(Options, EachHasAFieldOfItsOwn) {
  JobConfig config;
  std::set<const void*> fields;
  for (const OptionRecord& option : option_table())
    std::visit([&](auto* field) { EXPECT_TRUE(fields.insert(field).second) << option.name(); }, option.field(config));
}

TEST(Options, PageInDocsIsTheTableOfToday) {
  const auto page = read_file(FUNCPIPE_SOURCE_DIR "/docs/job-file.md");
  ASSERT_TRUE(page) << describe(page.error());
  EXPECT_EQ(*page, options_markdown()) << "run: funcpipe options --markdown > docs/job-file.md";
}

TEST(Options, RefuseWrongTypesAndRanges) {
  struct Case {
    const char* section;
    const char* key;
    OptionValue value;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"training", "micro_batch", std::int64_t{0}, "at least 1"},
      {"training", "micro_batch", std::int64_t{1} << 40, "at most 2147483647"},
      {"training", "micro_batch", 1.5, "a whole number"},
      {"training", "micro_batch", std::string("many"), "not 'many'"},
      {"training", "epochs", 0.0, "above 0"},
      {"training", "epochs", std::string("1"), "a number"},
      {"training", "wait_limit", std::numeric_limits<double>::quiet_NaN(), "a number"},
      {"optimizer", "lr", std::numeric_limits<double>::infinity(), "at most"},
      {"optimizer", "name", std::string("sdg"), "one of sgd, adam, adamw"},
      {"optimizer", "name", std::int64_t{3}, "one of sgd"},
      {"data", "shuffle", std::int64_t{1}, "true or false"},
      {"data", "shuffle_window", std::string("10 parsecs"), "a size"},
      {"data", "shuffle_window", std::string("1 KiB 3"), "a size"},
      {"data", "shuffle_window", std::int64_t{5}, "at least 1 KiB"},
      {"job", "seed", std::int64_t{-1}, "at least 0"},
  };
  for (const Case& c : cases) {
    JobConfig config;
    const OptionRecord* option = find_option(c.section, c.key);
    ASSERT_TRUE(option);
    const auto set = set_option(config, *option, c.value);
    ASSERT_FALSE(set) << option->name();
    EXPECT_EQ(set.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(set.error().message, HasSubstr(c.message));
  }
}

TEST(Options, SizesTakeUnits) {
  JobConfig config;
  const OptionRecord* window = find_option("data", "shuffle_window");
  ASSERT_TRUE(set_option(config, *window, std::string("2 GiB")));
  EXPECT_EQ(config.data.shuffle_window, 2 * kGiB);
  ASSERT_TRUE(set_option(config, *window, std::int64_t{4096}));
  EXPECT_EQ(config.data.shuffle_window, 4096);
  EXPECT_EQ(default_text(*window), "256 MiB");
}

TEST(Options, ConfigSurvivesJson) {
  JobConfig config;
  config.job.name = "a\"b\n";
  config.job.seed = 12345678901234567;
  config.optimizer.lr = 0.1 + 0.2;
  config.data.shuffle = false;
  config.training.steps = 1LL << 39;
  const nlohmann::json json = to_json(config);
  const auto back = job_config_from_json(nlohmann::json::parse(json.dump()), "test");
  ASSERT_TRUE(back) << describe(back.error());
  EXPECT_EQ(to_json(*back), json);
  EXPECT_EQ(back->optimizer.lr, config.optimizer.lr);
  EXPECT_EQ(back->job.seed, config.job.seed);
}

TEST(Options, JsonIsReadStrictly) {
  nlohmann::json json = to_json(JobConfig{});
  json["training"].erase("steps");
  EXPECT_THAT(job_config_from_json(json, "p").error().message, HasSubstr("lacks training.steps"));
  json = to_json(JobConfig{});
  json["training"]["surprise"] = 1;
  EXPECT_FALSE(job_config_from_json(json, "p"));
  json = to_json(JobConfig{});
  json["training"]["steps"] = nlohmann::json::array();
  EXPECT_THAT(job_config_from_json(json, "p").error().message, HasSubstr("training.steps must be"));
  EXPECT_FALSE(job_config_from_json(nlohmann::json::array(), "p"));
}

}  // namespace
}  // namespace funcpipe
