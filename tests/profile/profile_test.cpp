#include "profile/profile.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "golden_file.h"
#include "profile/example_profile.h"

namespace funcpipe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kGolden = "profile/data/profile-v1.json";

Error error_of(const json& value) {
  const auto read = profile_from_json(value, "p.json");
  return read ? Error{ErrorCode::failed, "accepted", {}, {}} : read.error();
}

TEST(Profile, SurvivesJson) {
  const json value = to_json(example_profile());
  const auto again = profile_from_json(value, "p.json");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(to_json(*again), value);
  EXPECT_FALSE(again->micro_batches[1].times[0][1].fits);
  EXPECT_EQ(again->options[1].memory_mb, 3538);
}

TEST(Profile, GoldenFileStaysReadable) {
  const auto golden = load_profile(golden_path(kGolden));
  ASSERT_TRUE(golden) << describe(golden.error());
  EXPECT_EQ(to_json(*golden), to_json(example_profile()));
}

TEST(Profile, IsWrittenALayerALine) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "profile_test.json";
  ASSERT_TRUE(save_profile(example_profile(), file));
  const auto text = read_file(file);
  ASSERT_TRUE(text);
  expect_golden(*text, kGolden);
}

TEST(Profile, AWarmUpIsWrittenWhereThereIsOne) {
  Profile profile = example_profile();
  profile.micro_batches[0].times[1][0].warm_up = 0.25;
  json value = to_json(profile);
  EXPECT_FALSE(value["micro_batches"][0]["times"][0][0].contains("warm_up"));
  const auto again = profile_from_json(value, "p.json");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_DOUBLE_EQ(again->micro_batches[0].times[1][0].warm_up, 0.25);
  value["micro_batches"][0]["times"][1][0]["warm_up"] = -1;
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches[0].times[1][0].warm_up");
}

TEST(Profile, CountsTiedParametersOnceAndFrozenOnesNever) {
  const Profile profile = example_profile();
  EXPECT_EQ(profile.trainable_bytes(0, 1), 96);
  EXPECT_EQ(profile.trainable_bytes(0, 2), 96 + 320);
}

TEST(Profile, NamesTheFirstWrongFigure) {
  json value = to_json(example_profile());
  value["micro_batches"][0]["times"][1][0]["forward"] = -1;
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches[0].times[1][0].forward");
  value = to_json(example_profile());
  value["micro_batches"][1]["times"][1][1]["backward"] = std::numeric_limits<double>::quiet_NaN();
  const json dumped = json::parse(value.dump());  // NaN becomes null, as it would in a file
  EXPECT_EQ(error_of(dumped).place, "p.json: micro_batches[1].times[1][1].backward");
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches[1].times[1][1].backward");
  value = to_json(example_profile());
  value["micro_batches"][0]["sizes"][0]["working"] = -4;
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches[0].sizes[0].working");
  value = to_json(example_profile());
  value["options"][1]["vcpus"] = 0;
  EXPECT_EQ(error_of(value).place, "p.json: options[1].vcpus");
  value = to_json(example_profile());
  value["options"][0]["cold_start"] = "fast";
  EXPECT_EQ(error_of(value).place, "p.json: options[0].cold_start");
  value = to_json(example_profile());
  value["base_memory"] = 1e30;
  EXPECT_EQ(error_of(value).place, "p.json: base_memory");
  value["base_memory"] = std::uint64_t{1} << 63;
  EXPECT_EQ(error_of(value).place, "p.json: base_memory");
  EXPECT_EQ(exit_code(error_of(value)), 2);
}

TEST(Profile, RefusesOtherVersionsKeysAndLengths) {
  json value = to_json(example_profile());
  value["version"] = 2;
  EXPECT_THAT(error_of(value).message, HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(error_of(value).hint, HasSubstr("make the profile again"));
  value = to_json(example_profile());
  value["format"] = "funcpipe-plan";
  EXPECT_THAT(error_of(value).message, HasSubstr("no profile"));
  EXPECT_THAT(error_of(json::array()).message, HasSubstr("no profile"));
  value = to_json(example_profile());
  value["base_memry"] = 1;
  EXPECT_THAT(error_of(value).hint, HasSubstr("base_memory"));
  value = to_json(example_profile());
  value["options"][0].erase("threads");
  EXPECT_THAT(error_of(value).message, HasSubstr("\"threads\" is missing"));
  value = to_json(example_profile());
  value["micro_batches"][0]["times"].erase(1);
  EXPECT_THAT(error_of(value).message, HasSubstr("expected 2 options, found 1"));
  value = to_json(example_profile());
  value["micro_batches"][0]["times"][0].erase(1);
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches[0].times[0]");
  value = to_json(example_profile());
  value["micro_batches"] = json::array();
  EXPECT_EQ(error_of(value).place, "p.json: micro_batches");
  value = to_json(example_profile());
  std::swap(value["options"][0], value["options"][1]);
  EXPECT_THAT(error_of(value).message, HasSubstr("ascend"));
  value = to_json(example_profile());
  value["model"]["layers"][0]["parameters"] = {9};
  EXPECT_THAT(error_of(value).message, HasSubstr("beyond the 3 listed"));
  value = to_json(example_profile());
  value["micro_batches"][0]["times"][0][0]["fits"] = false;
  EXPECT_NE(error_of(value).message, "accepted");
}

TEST(Profile, GivesMeasuredMicroBatchesAsTheyAre) {
  const MicroBatchProfile at = at_micro_batch(example_profile(), 4);
  EXPECT_EQ(at.micro_batch, 4);
  EXPECT_DOUBLE_EQ(at.times[0][0].forward, 0.5);
  EXPECT_EQ(at.sizes[1].activations, 160);
}

TEST(Profile, InterpolatesBetweenMicroBatches) {
  const MicroBatchProfile at = at_micro_batch(example_profile(), 2);
  EXPECT_EQ(at.micro_batch, 2);
  EXPECT_EQ(at.sizes[0].activations, 64);
  EXPECT_EQ(at.sizes[0].working, 200);
  EXPECT_DOUBLE_EQ(at.times[0][0].forward, 0.3);
  EXPECT_DOUBLE_EQ(at.times[1][1].backward, 3);
  EXPECT_FALSE(at.times[0][1].fits);  // as at 4
}

TEST(Profile, GoesOnBeyondTheLargestMicroBatch) {
  const MicroBatchProfile at = at_micro_batch(example_profile(), 8);
  EXPECT_DOUBLE_EQ(at.times[0][0].forward, 0.9);
  EXPECT_EQ(at.sizes[1].working, 900);
  EXPECT_FALSE(at.times[0][1].fits);
}

TEST(Profile, GoesThroughZeroWhereOneMicroBatchWasMeasured) {
  Profile profile = example_profile();
  profile.micro_batches.erase(profile.micro_batches.begin());
  const MicroBatchProfile at = at_micro_batch(profile, 2);
  EXPECT_DOUBLE_EQ(at.times[1][0].forward, 0.125);
  EXPECT_EQ(at.sizes[0].working, 200);
  EXPECT_FALSE(at.times[0][1].fits);
  profile = example_profile();
  profile.micro_batches.pop_back();
  EXPECT_DOUBLE_EQ(at_micro_batch(profile, 3).times[0][1].forward, 6);
}

}  // namespace
}  // namespace funcpipe
