#include "job/sample_rows.h"

#include <gmock/gmock.h>

#include <cstring>

#include "base/files.h"
#include "protocol/wire.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;

template <class Number>
Column column(const std::string& dtype, const std::vector<Number>& values, std::int64_t per_row) {
  const std::shared_ptr<std::byte> bytes(new std::byte[values.size() * sizeof(Number)],
                                         std::default_delete<std::byte[]>());
  std::memcpy(bytes.get(), values.data(), values.size() * sizeof(Number));
  return {{dtype, {per_row}, false}, static_cast<std::int64_t>(values.size()) / per_row, bytes};
}

TEST(RowsToTry, HoldTheExtremesOfWholeNumbersAndTheFirst) {
  Dataset data;
  data.input = column<std::int32_t>("int32", {1, 1, 1, 1, 1, 1, 1, 9, 1, 1, -2, 1}, 2);  // greatest in 3, least in 5
  data.target = column<std::uint8_t>("uint8", {1, 1, 0, 1, 2, 1}, 1);                    // greatest in 4, least in 2
  EXPECT_THAT(rows_to_try(data, 2), ElementsAre(3, 5, 4, 2, 0, 1));
  data.input = column<float>("float32", {1, 1, 1, 1, 1, 1, 1, 9, 1, 1, -2, 1}, 2);
  data.target = column<float>("float32", {1, 1, 0, 1, 2, 1}, 1);
  EXPECT_THAT(rows_to_try(data, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(rows_to_try(data, 30), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(SampleRows, AreAFileOfTensorsAsTheyAreStored) {
  Datasets data;
  data.train.input = column<std::uint8_t>("uint8", {7, 8, 7, 8, 7, 8}, 2);
  data.train.target = column<float>("float32", {0.5, 1.5, 2.5}, 1);
  std::filesystem::path path;
  {
    const auto rows = SampleRows::of(data, 2);
    ASSERT_TRUE(rows) << describe(rows.error());
    path = rows->path();
    const auto bytes = read_file(path);
    ASSERT_TRUE(bytes) << describe(bytes.error());
    const auto tensors = decode_tensors(as_bytes(*bytes), "rows");
    ASSERT_TRUE(tensors) << describe(tensors.error());
    ASSERT_EQ(tensors->size(), 2u) << "no validation data";
    EXPECT_EQ((*tensors)[0].type, ElementType::uint8);
    EXPECT_THAT((*tensors)[0].shape, ElementsAre(2, 2));
    EXPECT_EQ((*tensors)[1].type, ElementType::float32);
    float second = 0;
    std::memcpy(&second, (*tensors)[1].bytes.data() + 4, 4);
    EXPECT_EQ(second, 1.5);
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "it goes with the object";
}

}  // namespace
}  // namespace funcpipe
