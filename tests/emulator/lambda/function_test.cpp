#include "emulator/lambda/function.h"

#include <gmock/gmock.h>

#include "emulator/lambda/harness.h"
#include "emulator/lambda/instance.h"
#include "emulator/lambda/instance_environment.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

// docs/formats/function.md: a folder written by an earlier release must stay readable.
constexpr const char* kGolden = "emulator/data/function-v1.json";

TEST(LambdaFunction, IsWrittenAsTheGoldenFile) {
  LambdaFunction function;
  function.name = "job-stage-1";
  function.role = "arn:aws:iam::000000000000:role/funcpipe";
  function.description = "stage 1";
  function.memory_mb = 2048;
  function.vcpus = 0.5;
  function.timeout_seconds = 900;
  function.retries = 0;
  function.environment = {{"COLOUR", "red"}};
  function.code_sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  function.code_size = 1234;
  function.package = "package-0123456789ab/files";
  function.last_modified = "2026-11-23T17:00:52.000+0000";
  function.revision = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
  expect_golden(to_json(function).dump(2) + "\n", kGolden);  // as FunctionTable::put does
}

TEST(LambdaFunction, ReadsTheGoldenFile) {
  const auto function = function_from_json(nlohmann::json::parse(golden_text(kGolden)), kGolden);
  ASSERT_TRUE(function) << describe(function.error());
  EXPECT_EQ(function->name, "job-stage-1");
  EXPECT_EQ(function->role, "arn:aws:iam::000000000000:role/funcpipe");
  EXPECT_EQ(function->runtime, "provided.al2023");
  EXPECT_EQ(function->handler, "bootstrap");
  EXPECT_EQ(function->description, "stage 1");
  EXPECT_EQ(function->architecture, "x86_64");
  EXPECT_EQ(function->memory_mb, 2048);
  EXPECT_EQ(function->vcpus, 0.5);
  EXPECT_EQ(function->timeout_seconds, 900);
  EXPECT_EQ(function->ephemeral_mb, 512);
  EXPECT_EQ(function->retries, 0);
  EXPECT_EQ(function->environment, (std::map<std::string, std::string>{{"COLOUR", "red"}}));
  EXPECT_EQ(function->code_sha256, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(function->code_size, 1234);
  EXPECT_EQ(function->package, "package-0123456789ab/files");
  EXPECT_EQ(function->last_modified, "2026-11-23T17:00:52.000+0000");
  EXPECT_EQ(function->revision, "7c9e6679-7425-40de-944b-e07fc1f90ae7");
}

TEST(LambdaFunction, OfAnEarlierReleaseIsRead) {
  auto json = nlohmann::json::parse(golden_text(kGolden));
  json.erase("vcpus");
  json["package"] = "package-0123456789ab";
  const auto function = function_from_json(json, "function.json");
  ASSERT_TRUE(function) << describe(function.error());
  EXPECT_EQ(function->vcpus, 0);
  EXPECT_EQ(function->package, "package-0123456789ab");
  EXPECT_EQ(to_json(*function), json);
}

TEST(LambdaFunction, RefusesAnotherVersion) {
  auto json = nlohmann::json::parse(golden_text(kGolden));
  json["version"] = 2;
  const auto read = function_from_json(json, "function.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_THAT(read.error().message, testing::HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(read.error().hint, testing::HasSubstr("delete the function's folder"));
}

TEST(LambdaFunction, RefusesMissingFields) {
  auto json = nlohmann::json::parse(golden_text(kGolden));
  json.erase("package");
  EXPECT_EQ(function_from_json(json, "golden").error().code, ErrorCode::corrupt);
}

TEST(LambdaFunction, NameIsFoundInEveryFormOfIt) {
  for (const char* text : {"f-1", "f-1:$LATEST", "000000000000:function:f-1", "function:f-1",
                           "arn:aws:lambda:us-east-1:000000000000:function:f-1",
                           "arn:aws:lambda:us-east-1:000000000000:function:f-1:$LATEST"})
    EXPECT_EQ(function_name(text).value_or(""), "f-1") << text;
  for (const char* text : {"", "..", "a b", "a/b", "f:7", "x:y:z"}) EXPECT_FALSE(function_name(text)) << text;
}

TEST(LambdaFunction, ConfigurationIsTakenWholeOrNotAtAll) {
  LambdaFunction function;
  function.role = "arn:aws:iam::000000000000:role/test";
  const Platform platform = test_platform();
  EXPECT_TRUE(apply_configuration({{"MemorySize", 10240}, {"Timeout", 900}}, platform, function));
  EXPECT_EQ(function.memory_mb, 10240);
  for (const nlohmann::json& bad : std::vector<nlohmann::json>{{{"MemorySize", 127}},
                                                               {{"MemorySize", "512"}},
                                                               {{"Timeout", 0}},
                                                               {{"Role", "me"}},
                                                               {{"Runtime", "python3.12"}},
                                                               {{"Environment", {{"Variables", {{"1A", "x"}}}}}},
                                                               {{"Environment", {{"Variables", {{"AB", 1}}}}}},
                                                               {{"Architectures", {"sparc"}}}}) {
    LambdaFunction copy = function;
    const auto applied = apply_configuration(bad, platform, copy);
    ASSERT_FALSE(applied) << bad;
    EXPECT_EQ(applied.error().status, 400) << bad;
  }
}

TEST(LambdaFunction, VcpusAreThoseThePlatformHasWithTheMemory) {
  Platform platform = test_platform();
  platform.sizes = {{1024, 0.5, 1, 1}, {1024, 1, 1, 1}, {2048, 0.5, 1, 1}, {2048, 2, 1, 1}};
  LambdaFunction function;
  function.role = "arn:aws:iam::000000000000:role/test";
  ASSERT_TRUE(apply_configuration({{"MemorySize", 1024}}, platform, function));
  EXPECT_EQ(sandbox_limits(platform, function, 2).vcpus, 0.5) << "one, as the platform gives, divided by the dilation";
  EXPECT_FALSE(configuration_json(function, "r").contains("Cpu"));
  ASSERT_TRUE(apply_configuration({{"MemorySize", 2048}, {"Cpu", 2}}, platform, function));
  EXPECT_EQ(sandbox_limits(platform, function, 1).vcpus, 2);
  EXPECT_EQ(sandbox_limits(platform, function, 1).memory, 2048 * kMiB);
  EXPECT_EQ(configuration_json(function, "r")["Cpu"], 2);
  EXPECT_EQ(function_from_json(to_json(function), "f")->vcpus, 2);
  for (const nlohmann::json& bad : std::vector<nlohmann::json>{
           {{"Cpu", 4}}, {{"Cpu", 0}}, {{"Cpu", "2"}}, {{"MemorySize", 1024}}, {{"MemorySize", 2048}, {"Cpu", 1}}}) {
    LambdaFunction copy = function;
    const auto applied = apply_configuration(bad, platform, copy);
    ASSERT_FALSE(applied) << bad;
    EXPECT_EQ(applied.error().status, 400) << bad;
  }
}

TEST(LambdaFunction, InstancesAreShapedByMemorySizeAndDilation) {
  Platform platform = test_platform();
  platform.sizes = {{512, 1, 10e6, 20e6}, {1024, 1, 100e6, 100e6}};
  platform.latency = {.put = 0.02, .get = 0.01};
  LambdaFunction function;
  function.name = "f";
  function.memory_mb = 512;
  const Account account = instance_account(platform, function, {}, 2);
  EXPECT_EQ(account.label, "f");
  EXPECT_FALSE(account.credentials.session_token.empty());
  EXPECT_DOUBLE_EQ(account.latency.put, 0.04);
  ASSERT_TRUE(account.uplink.instance && account.downlink.instance);
  EXPECT_NEAR(account.uplink.instance->book(1'000'000, 1000) - 1000, 0.2, 0.02);
  EXPECT_NEAR(account.downlink.instance->book(1'000'000, 1000) - 1000, 0.1, 0.02);
  EXPECT_FALSE(store_links(platform, 2).uplink) << "the platform has no limit";
  platform.store.upload = 1e6;
  const StoreLinks store = store_links(platform, 2);
  EXPECT_FALSE(store.downlink);
  EXPECT_EQ(instance_account(platform, function, store, 2).uplink.store, store.uplink);
  EXPECT_NEAR(store.uplink->book(1'000'000, 1000) - 1000, 2, 1e-9);
  platform.limit_network = false;
  EXPECT_FALSE(store_links(platform, 2).uplink);
  EXPECT_FALSE(instance_account(platform, function, store, 2).uplink.limited());
}

}  // namespace
}  // namespace funcpipe
