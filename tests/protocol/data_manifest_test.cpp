#include "protocol/data_manifest.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace funcpipe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const DatasetManifest kExample = {.input = {{"float32", {4, 2}, false}, 1000, 100, "p/data/train/input/"},
                                  .target = {{"int64", {}, false}, 1000, 4000, "p/data/train/target/"}};

TEST(DatasetManifest, SurvivesJson) {
  const auto read = dataset_manifest_from_json(json::parse(to_json(kExample).dump()), "train");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), to_json(kExample));
  EXPECT_EQ(read->rows(), 1000);
  EXPECT_EQ(read->input.row.shape, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(read->target.block_rows, 4000);
  EXPECT_EQ(read->target.prefix, "p/data/train/target/");
}

TEST(DatasetManifest, RefusesWhatIsNoColumnAndSaysWhich) {
  const auto error_of = [](const char* member, const json& value) {
    json ill = to_json(kExample);
    ill["target"][member] = value;
    const auto read = dataset_manifest_from_json(ill, "train");
    EXPECT_FALSE(read) << member;
    if (read) return Error{};
    EXPECT_EQ(read.error().place, "train target");
    return read.error();
  };
  EXPECT_THAT(error_of("shape", 3).message, HasSubstr("array"));
  EXPECT_THAT(error_of("shape", json::array({1.5})).message, HasSubstr("whole numbers"));
  EXPECT_THAT(error_of("rows", -1).message, HasSubstr("negative"));
  EXPECT_THAT(error_of("block_rows", -1).message, HasSubstr("negative"));
  EXPECT_THAT(error_of("surprise", 1).message, HasSubstr("surprise"));
  EXPECT_FALSE(dataset_manifest_from_json(json::object(), "train"));
}

}  // namespace
}  // namespace funcpipe
