#include "catalog/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <tuple>

#include "base/files.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class PlatformFile : public testing::Test {
 protected:
  PlatformFile() {
    std::string pattern = (fs::temp_directory_path() / "platform_test_XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~PlatformFile() override { fs::remove_all(folder); }

  // The shipped file with one line changed; returns the changed copy's path.
  std::string changed(const std::string& from, const std::string& to, const char* shipped = "aws-lambda.toml") {
    auto text = read_file(fs::path(FUNCPIPE_SOURCE_DIR) / "platforms" / shipped).value();
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
    EXPECT_FALSE(platform->sizes.empty());
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
  const auto* largest = platform.size(10240);
  ASSERT_NE(largest, nullptr);
  EXPECT_NEAR(largest->vcpus, 5.79, 0.01);
  EXPECT_DOUBLE_EQ(largest->uplink, 75e6);
  EXPECT_EQ(platform.limits.lifetime, 900);
  EXPECT_EQ(platform.burst.bytes, 300 * kMiB);
  // One GB for a million seconds.
  EXPECT_NEAR(compute_price(platform.prices, 1024, 0.58, 1e6), 16.6667, 1e-9);
}

TEST(Platform, ABurstIsAheadUntilItsBucketIsEmpty) {
  const Burst burst{.bytes = 300, .rate = 40};
  // The bucket loses 30 a second: ten seconds and 400 bytes at 40, the rest at 10.
  EXPECT_DOUBLE_EQ(mean_rate(burst, 10, 100), 40);
  EXPECT_DOUBLE_EQ(mean_rate(burst, 10, 400), 40);
  EXPECT_DOUBLE_EQ(mean_rate(burst, 10, 500), 25);
  EXPECT_DOUBLE_EQ(mean_rate(burst, 50, 100), 50) << "a baseline above the burst's rate";
  EXPECT_DOUBLE_EQ(mean_rate({}, 10, 100), 10);
}

TEST(Platform, StoresHaveLimitsOfAllInstancesTogether) {
  const auto aws = load_platform("aws-lambda").value();
  EXPECT_EQ(aws.store.puts_per_second, 3500);
  EXPECT_TRUE(std::isinf(aws.store.upload) && std::isinf(aws.store.requests_per_second));
  EXPECT_DOUBLE_EQ(aws.latency.get_p99, 0.105);
  const auto alibaba = load_platform("alibaba-fc").value();
  EXPECT_DOUBLE_EQ(alibaba.store.upload, 2.5e9);
  EXPECT_EQ(load_platform("local").value().latency.get_p99, 0) << "not known";
}

TEST_F(PlatformFile, APercentileIsNotBelowTheMedian) {
  const auto platform = load_platform(changed("get_p99_seconds = 0.105", "get_p99_seconds = 0.01"));
  ASSERT_FALSE(platform);
  EXPECT_THAT(platform.error().message, HasSubstr("latency.get_p99_seconds"));
}

TEST(Platform, LocalHasNoLimits) {
  const auto platform = load_platform("local").value();
  EXPECT_FALSE(platform.limited || platform.limit_memory || platform.limit_cpu || platform.limit_network);
  EXPECT_TRUE(std::isinf(platform.sizes.front().uplink));
  EXPECT_EQ(platform.latency.get, 0);
}

TEST(Platform, ShapedLimitsOnlyTheNetwork) {
  const auto platform = load_platform("shaped-70MBps").value();
  EXPECT_TRUE(platform.limited && platform.limit_network);
  EXPECT_FALSE(platform.limit_memory || platform.limit_cpu);
  EXPECT_DOUBLE_EQ(platform.size(1024)->downlink, 70e6);
  EXPECT_DOUBLE_EQ(platform.latency.put, 0.02);
  EXPECT_EQ(platform.burst.bytes, 0);
}

TEST(Platform, SizeRoundsUp) {
  const auto platform = load_platform("aws-lambda").value();
  EXPECT_EQ(platform.size(1)->memory_mb, 128);
  EXPECT_EQ(platform.size(1025)->memory_mb, 1536);
  EXPECT_EQ(platform.size(10241), nullptr);
}

TEST(Platform, FunctionComputeHasVcpusChosen) {
  const auto platform = load_platform("alibaba-fc").value();
  for (std::size_t i = 0; i < platform.sizes.size(); ++i) {
    const FunctionSize& size = platform.sizes[i];
    const double gb_per_vcpu = size.memory_mb / 1024.0 / size.vcpus;
    EXPECT_TRUE(1 <= gb_per_vcpu && gb_per_vcpu <= 4) << to_string(SizeChoice{size.memory_mb, size.vcpus});
    EXPECT_EQ(platform.size(size.memory_mb, size.vcpus), &size);
    EXPECT_EQ(platform.choice(size), (SizeChoice{size.memory_mb, size.vcpus}));
    if (i == 0) continue;
    const FunctionSize& before = platform.sizes[i - 1];
    EXPECT_LT(std::tie(before.memory_mb, before.vcpus), std::tie(size.memory_mb, size.vcpus));
  }
  // 10 s of 1 CU a vCPU-second and 0.15 a GB-second, at $2.0e-5.
  EXPECT_NEAR(compute_price(platform.prices, 4096, 2, 10), (2 + 0.15 * 4) * 10 * 2.0e-5, 1e-12);
}

TEST(Platform, OfSeveralNumbersOfVcpusTheFewestThatRunAThreadAreGiven) {
  const auto platform = load_platform("alibaba-fc").value();
  EXPECT_EQ(platform.size(8192)->vcpus, 2);
  EXPECT_EQ(platform.size(2048)->vcpus, 1);
  EXPECT_EQ(platform.size(512)->vcpus, 0.5) << "the most, where none is a whole one";
  EXPECT_EQ(platform.size(2000, 0.5)->memory_mb, 2048);
  EXPECT_EQ(platform.size(2048, 4), nullptr) << "larger memory would have them";
  EXPECT_EQ(platform.exact_size(2000, 0.5), nullptr);
  EXPECT_EQ(platform.exact_size(2048, 0.5)->vcpus, 0.5);
}

TEST(Platform, WhereVcpusComeWithTheMemoryTheyNeedNoName) {
  const auto platform = load_platform("aws-lambda").value();
  EXPECT_EQ(platform.choice(*platform.size(2048)), SizeChoice{2048});
  EXPECT_NE(platform.size(2048, 1.158), nullptr) << "as files round it";
  EXPECT_EQ(platform.size(2048, 2), nullptr);
  EXPECT_EQ(compute_price(platform.prices, 1024, 1, 1), compute_price(platform.prices, 1024, 2, 1));
}

TEST(SizeChoice, HasTwoForms) {
  EXPECT_EQ(to_string(SizeChoice{2048}), "2048");
  EXPECT_EQ(to_string(SizeChoice{2048, 0.5}), "2048:0.5");
  EXPECT_EQ(in_words({2048}), "2048 MB");
  EXPECT_EQ(in_words({2048, 0.5}), "2048 MB with 0.5 vCPUs");
  EXPECT_EQ(in_words({1024, 1}), "1024 MB with 1 vCPU");
}

TEST_F(PlatformFile, EverySizeNeedsANumberOfVcpus) {
  const auto platform = load_platform(changed("counts = [0.05, 0.1, ", "counts = [", "alibaba-fc.toml"));
  ASSERT_FALSE(platform);
  EXPECT_THAT(platform.error().message, AllOf(HasSubstr("vcpus.counts"), HasSubstr("128 MB")));
}

TEST_F(PlatformFile, VcpusFollowOneRule) {
  const auto both = load_platform(changed("least_gb", "mb_per_vcpu = 2048\nleast_gb", "alibaba-fc.toml"));
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message, HasSubstr("unknown key vcpus.mb_per_vcpu"));
  const auto unsorted = load_platform(changed("counts = [0.05, 0.1,", "counts = [0.1, 0.05,", "alibaba-fc.toml"));
  ASSERT_FALSE(unsorted);
  EXPECT_THAT(unsorted.error().message, HasSubstr("ascending"));
  const auto inverted = load_platform(changed("most_gb_per_vcpu = 4", "most_gb_per_vcpu = 0.5", "alibaba-fc.toml"));
  ASSERT_FALSE(inverted);
  EXPECT_THAT(inverted.error().message, HasSubstr("at least 1"));
}

TEST(Platform, BandwidthIsLinearBetweenPoints) {
  const auto platform = load_platform("aws-lambda-3gbit").value();
  EXPECT_DOUBLE_EQ(platform.size(1024)->uplink, 78.125e6);
  EXPECT_DOUBLE_EQ(platform.size(6144)->uplink, (78.125e6 + 375e6) / 2);
  EXPECT_DOUBLE_EQ(platform.size(10240)->uplink, 375e6);
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
  EXPECT_DOUBLE_EQ(platform->size(1024)->vcpus, 1);
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
  EXPECT_THAT(platform.error().place, testing::MatchesRegex(".*/mine.toml:[0-9]+(:[0-9]+)?"));
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
                    BadFigure{"format = 1", "format = 2", "format version 2, this program reads version 1"},
                    BadFigure{"[prices]", "[prices", "not valid TOML"}));

// Platform files are written by people, so there is no writer that could make them again.
TEST(GoldenPlatform, IsReadFieldByField) {
  const auto read = load_platform(golden_path("catalog/data/platform-v1.toml"));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->name, "platform-v1");
  EXPECT_EQ(read->description, "a platform with every key");
  EXPECT_TRUE(read->limited);
  EXPECT_TRUE(read->limit_memory);
  EXPECT_FALSE(read->limit_cpu);
  EXPECT_TRUE(read->limit_network);
  ASSERT_EQ(read->sizes.size(), 4u) << "1024 MB with 0.5 and 1 vCPU, 2048 MB with 1 and 2";
  EXPECT_EQ(read->sizes[0].memory_mb, 1024);
  EXPECT_EQ(read->sizes[0].vcpus, 0.5);
  EXPECT_EQ(read->sizes[3].memory_mb, 2048);
  EXPECT_EQ(read->sizes[3].vcpus, 2);
  EXPECT_EQ(read->sizes[0].uplink, 100e6);
  EXPECT_EQ(read->sizes[3].uplink, 150e6);
  EXPECT_EQ(read->sizes[3].downlink, 300e6);
  EXPECT_EQ(read->vcpu_speed, 0.75);
  EXPECT_EQ(read->burst.bytes, 1048576);
  EXPECT_EQ(read->burst.rate, 400e6);
  EXPECT_EQ(read->latency.put, 0.05);
  EXPECT_EQ(read->latency.get, 0.025);
  EXPECT_EQ(read->latency.put_p99, 0.2);
  EXPECT_EQ(read->latency.get_p99, 0.1);
  EXPECT_EQ(read->store.upload, 2.5e9);
  EXPECT_EQ(read->store.download, 12.5e9);
  EXPECT_EQ(read->store.puts_per_second, 3500);
  EXPECT_EQ(read->store.gets_per_second, 5500);
  EXPECT_EQ(read->store.requests_per_second, 10000);
  EXPECT_EQ(read->limits.lifetime, 900);
  EXPECT_EQ(read->limits.concurrency, 100);
  EXPECT_EQ(read->limits.idle_timeout, 300);
  EXPECT_EQ(read->limits.request_payload, 6291456);
  EXPECT_EQ(read->prices.gb_second, 3e-6);
  EXPECT_EQ(read->prices.vcpu_second, 2e-5);
  EXPECT_EQ(read->prices.invocation, 1.5e-7);
  EXPECT_EQ(read->prices.put, 5e-6);
  EXPECT_EQ(read->prices.get, 4e-7);
  EXPECT_EQ(read->prices.storage_gb_month, 0.023);
  EXPECT_EQ(read->prices.billing_step, 0.001);
}

TEST(GoldenPlatform, WhoseVcpusComeWithTheMemoryIsReadWithTheDefaults) {
  const auto read = load_platform(golden_path("catalog/data/platform-by-memory-v1.toml"));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_FALSE(read->limited);
  ASSERT_EQ(read->sizes.size(), 2u);
  EXPECT_EQ(read->sizes[0].vcpus, 0.5);
  EXPECT_EQ(read->sizes[1].vcpus, 0.75) << "no more than `most`";
  EXPECT_TRUE(std::isinf(read->sizes[0].uplink));
  EXPECT_TRUE(std::isinf(read->sizes[0].downlink));
  EXPECT_EQ(read->vcpu_speed, 1);
  EXPECT_EQ(read->burst.bytes, 0);
  EXPECT_EQ(read->latency.put_p99, 0);
  EXPECT_TRUE(std::isinf(read->store.upload));
  EXPECT_TRUE(std::isinf(read->store.requests_per_second));
  EXPECT_EQ(read->prices.vcpu_second, 0);
}

}  // namespace
}  // namespace funcpipe
