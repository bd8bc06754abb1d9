#include "catalog/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PlatformFile : public testing::Test {
 protected:
  PlatformFile() {
    std::string pattern = (fs::temp_directory_path() / "platform_test_XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~PlatformFile() override { fs::remove_all(folder); }

  // The shipped file with one line changed; returns the changed copy's path.
  std::string changed(const std::string& from, const std::string& to) {
    auto text = read_file(fs::path(FUNCPIPE_SOURCE_DIR) / "platforms" / "aws-lambda.toml").value();
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto path = folder / "mine.toml";
    std::ofstream(path) << text;
    return path.string();
  }

  fs::path folder;
};

TEST(Platform, EveryShippedFileLoads) {
  const auto names = platform_names();
  EXPECT_THAT(names, testing::IsSupersetOf({"alibaba-fc", "aws-lambda", "local", "shaped-70MBps"}));
  for (const auto& name : names) {
    const auto platform = load_platform(name);
    ASSERT_TRUE(platform) << describe(platform.error());
    EXPECT_EQ(platform->name, name);
    EXPECT_FALSE(platform->memory_options.empty());
    EXPECT_GT(platform->prices.gb_second, 0);
  }
}

TEST_F(PlatformFile, SpeedOfAVcpuIsThatOfACoreUnlessItSays) {
  EXPECT_DOUBLE_EQ(load_platform("aws-lambda")->vcpu_speed, 0.6);
  EXPECT_DOUBLE_EQ(load_platform("local")->vcpu_speed, 1);
  EXPECT_DOUBLE_EQ(load_platform(changed("speed = 0.6", "speed = 0.5"))->vcpu_speed, 0.5);
  EXPECT_DOUBLE_EQ(load_platform(changed("speed = 0.6\n", ""))->vcpu_speed, 1);
}

TEST(Platform, LambdaHasTheFiguresOfItsSources) {
  const auto platform = load_platform("aws-lambda").value();
  EXPECT_TRUE(platform.limited && platform.limit_memory && platform.limit_cpu && platform.limit_network);
  const auto* largest = platform.option(10240);
  ASSERT_NE(largest, nullptr);
  EXPECT_NEAR(largest->vcpus, 5.79, 0.01);
  EXPECT_DOUBLE_EQ(largest->uplink, 75e6);
  EXPECT_EQ(platform.limits.lifetime, 900);
  EXPECT_EQ(platform.burst.bytes, 300 * kMiB);
  // One GB for a million seconds.
  EXPECT_NEAR(compute_price(platform.prices, 1024, 1e6), 16.6667, 1e-9);
}

TEST(Platform, LocalHasNoLimits) {
  const auto platform = load_platform("local").value();
  EXPECT_FALSE(platform.limited || platform.limit_memory || platform.limit_cpu || platform.limit_network);
  EXPECT_TRUE(std::isinf(platform.memory_options.front().uplink));
  EXPECT_EQ(platform.latency.get, 0);
}

TEST(Platform, ShapedLimitsOnlyTheNetwork) {
  const auto platform = load_platform("shaped-70MBps").value();
  EXPECT_TRUE(platform.limited && platform.limit_network);
  EXPECT_FALSE(platform.limit_memory || platform.limit_cpu);
  EXPECT_DOUBLE_EQ(platform.option(1024)->downlink, 70e6);
  EXPECT_DOUBLE_EQ(platform.latency.put, 0.02);
  EXPECT_EQ(platform.burst.bytes, 0);
}

TEST(Platform, OptionRoundsUp) {
  const auto platform = load_platform("aws-lambda").value();
  EXPECT_EQ(platform.option(1)->memory_mb, 128);
  EXPECT_EQ(platform.option(1025)->memory_mb, 1536);
  EXPECT_EQ(platform.option(10241), nullptr);
}

TEST(Platform, BandwidthIsLinearBetweenPoints) {
  const auto platform = load_platform("aws-lambda-3gbit").value();
  EXPECT_DOUBLE_EQ(platform.option(1024)->uplink, 78.125e6);
  EXPECT_DOUBLE_EQ(platform.option(6144)->uplink, (78.125e6 + 375e6) / 2);
  EXPECT_DOUBLE_EQ(platform.option(10240)->uplink, 375e6);
}

TEST(Platform, UnknownNameListsTheKnownOnes) {
  const auto platform = load_platform("aws-lamda");
  ASSERT_FALSE(platform);
  EXPECT_EQ(platform.error().code, ErrorCode::not_found);
  EXPECT_THAT(platform.error().hint, HasSubstr("aws-lambda"));
}

TEST_F(PlatformFile, OwnFileByPath) {
  const auto platform = load_platform(changed("mb_per_vcpu = 1769", "mb_per_vcpu = 1024"));
  ASSERT_TRUE(platform) << describe(platform.error());
  EXPECT_EQ(platform->name, "mine");
  EXPECT_DOUBLE_EQ(platform->option(1024)->vcpus, 1);
}

TEST_F(PlatformFile, FolderFromTheEnvironment) {
  changed("mb_per_vcpu = 1769", "mb_per_vcpu = 512");
  ::setenv("FUNCPIPE_PLATFORMS", folder.c_str(), 1);
  const auto platform = load_platform("mine");
  const auto names = platform_names();
  ::unsetenv("FUNCPIPE_PLATFORMS");
  ASSERT_TRUE(platform) << describe(platform.error());
  EXPECT_THAT(names, testing::ElementsAre("mine"));
}

struct BadFigure {
  const char* from;
  const char* to;
  const char* expected;  // in the message
};

class BadFile : public PlatformFile, public testing::WithParamInterface<BadFigure> {};

TEST_P(BadFile, NamesFileLineAndWhatWasExpected) {
  const auto path = changed(GetParam().from, GetParam().to);
  const auto platform = load_platform(path);
  ASSERT_FALSE(platform);
  EXPECT_EQ(platform.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(platform.error().place, testing::MatchesRegex(".*/mine.toml:[0-9]+"));
  EXPECT_THAT(platform.error().message, HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Platform, BadFile,
    testing::Values(BadFigure{"mb_per_vcpu = 1769", "mb_per_vcpu = \"many\"", "a number, at least 1"},
                    BadFigure{"mb_per_vcpu = 1769", "", "lacks mb_per_vcpu"},
                    BadFigure{"most = 6", "most = 6\nmoost = 7", "unknown key vcpus.moost"},
                    BadFigure{"speed = 0.6", "speed = 0", "from 0.01 to 100"},
                    BadFigure{"put_seconds = 0.055", "put_seconds = -1", "from 0 to 3600"},
                    BadFigure{"put_seconds = 0.055", "put_seconds = nan", "from 0 to 3600"},
                    BadFigure{"[128, 256,", "[256, 128,", "ascending"}, BadFigure{"[[128, 75e6]]", "[[128]]", "pairs"},
                    BadFigure{"\"cpu\"", "\"cpus\"", "memory, cpu, network"},
                    BadFigure{"[limits]", "[limit]", "unknown key limit"},
                    BadFigure{"date = \"2026-11\"", "", "lacks date"},
                    BadFigure{"format = 1", "format = 2", "format = 1"},
                    BadFigure{"[prices]", "[prices", "not a TOML file"}));

}  // namespace
}  // namespace funcpipe
