#include "job/check_data.h"

#include <gmock/gmock.h>

#include <cstring>

#include "job/four_layers.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

TEST(CheckData, NamesBothShapes) {
  Datasets data = rows(100);
  data.train.input.row.shape = {1, 5};
  const auto inputs = check_data(four_layers(), data, job());
  ASSERT_FALSE(inputs);
  EXPECT_THAT(inputs.error().message, HasSubstr("[1, 5]"));
  EXPECT_THAT(inputs.error().message, HasSubstr("[4]"));
  EXPECT_EQ(inputs.error().place, "x.npy");

  data = rows(100);
  data.train.target.row.shape = {3};
  EXPECT_EQ(check_data(four_layers(), data, job()).error().place, "y.npy");
  JobConfig config = job();
  config.model.loss = "mse";
  EXPECT_TRUE(check_data(four_layers(), data, config));
  data.train.target.row.shape = {2};
  EXPECT_FALSE(check_data(four_layers(), data, config));

  data = rows(100);
  data.train.target.row.dtype = "float32";
  EXPECT_THAT(check_data(four_layers(), data, job()).error().hint, HasSubstr("mse"));
}

TEST(CheckData, OnlyAModelThatIsItsOwnLossTakesTheTarget) {
  ModelDescription model = four_layers();
  model.inputs.push_back({"int64", {8}});
  JobConfig config = job();
  EXPECT_FALSE(check_data(model, rows(100), config));
  config.model.loss = "model";
  model.outputs = {{"float32", {}, true}};
  EXPECT_TRUE(check_data(model, rows(100), config));
}

TEST(CheckData, AModelThatIsItsOwnLossGivesOneNumberOrOnePerSample) {
  JobConfig config = job();
  config.model.loss = "model";
  ModelDescription model = four_layers();
  EXPECT_THAT(check_data(model, rows(100), config).error().message, HasSubstr("[8, 3]"));
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{}, {8}, {8, 1}}) {
    model.outputs = {{"float32", shape, true}};
    EXPECT_TRUE(check_data(model, rows(100), config));
  }
}

template <class Number>
Column classes(const std::string& dtype, const std::vector<Number>& values, std::int64_t per_row = 1) {
  const std::size_t size = values.size() * sizeof(Number);
  // One byte in: a mapped file need not be aligned.
  const std::shared_ptr<std::byte> bytes(new std::byte[size + 1], std::default_delete<std::byte[]>());
  std::memcpy(bytes.get() + 1, values.data(), size);
  Column column;
  column.row.dtype = dtype;
  if (per_row > 1) column.row.shape = {per_row};
  column.rows = static_cast<std::int64_t>(values.size()) / per_row;
  column.bytes = std::shared_ptr<const std::byte>(bytes, bytes.get() + 1);
  return column;
}

TEST(CheckData, NamesTheFirstClassTheModelDoesNotHave) {
  const auto outcome = [](Column target) {
    Datasets data = rows(target.rows);
    data.train.target = std::move(target);
    return check_data(four_layers(), data, job());
  };
  EXPECT_TRUE(outcome(classes<std::int64_t>("int64", {0, 1, 2, 0})));
  for (const auto& wrong :
       {outcome(classes<std::int64_t>("int64", {0, 1, 3, 7})), outcome(classes<std::int32_t>("int32", {0, 1, 3, 7})),
        outcome(classes<std::int16_t>("int16", {0, 1, 3, 7})), outcome(classes<std::int8_t>("int8", {0, 1, 3, 7})),
        outcome(classes<std::uint8_t>("uint8", {0, 1, 3, 7}))}) {
    ASSERT_FALSE(wrong);
    EXPECT_EQ(exit_code(wrong.error()), 2);
    EXPECT_EQ(wrong.error().message, "the target of row 2 is class 3, but the model has 3 classes");
    EXPECT_EQ(wrong.error().place, "y.npy");
  }
  EXPECT_THAT(outcome(classes<std::int8_t>("int8", {0, -1})).error().message, HasSubstr("class -1"));

  ModelDescription model = four_layers();
  model.outputs = {{"float32", {8, 2, 3}, true}};
  Datasets data = rows(2);
  data.train.target = classes<std::uint8_t>("uint8", {0, 1, 2, 9}, 2);
  EXPECT_THAT(check_data(model, data, job()).error().message, HasSubstr("row 1 is class 9"));
}

TEST(CheckData, ValidationDataMustBeAsTrainingDataIsWhichIsJudgedFirst) {
  JobConfig config = job();
  config.data.validation_input = "vx.npy";
  config.data.validation_target = "vy.npy";
  Datasets data = rows(100);
  data.validation = rows(10).train;
  EXPECT_TRUE(check_data(four_layers(), data, config));
  data.validation.input.row = {"uint8", {5}, false};
  const auto inputs = check_data(four_layers(), data, config);
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().place, "vx.npy");
  for (const char* text : {"uint8 [5]", "float32 [4]", "x.npy"}) EXPECT_THAT(inputs.error().message, HasSubstr(text));

  data.train.input.row.shape = {6};
  EXPECT_EQ(check_data(four_layers(), data, config).error().place, "x.npy") << "the training data is wrong in itself";

  data = rows(100);
  data.validation = rows(10).train;
  data.validation.target.row.dtype = "uint8";
  EXPECT_EQ(check_data(four_layers(), data, config).error().place, "vy.npy");
  data = rows(2);
  data.validation = rows(2).train;
  data.validation.target = classes<std::int64_t>("int64", {0, 5});
  EXPECT_EQ(check_data(four_layers(), data, config).error().place, "vy.npy");
}

TEST(CheckData, AnOutputThatLooksLikeALossGetsTheHint) {
  ModelDescription model = four_layers();
  JobConfig config = job();
  for (const char* loss : {"cross-entropy", "mse"}) {
    config.model.loss = loss;
    model.outputs = {{"float32", {}, true}};
    const auto checked = check_data(model, rows(100), config);
    ASSERT_FALSE(checked) << loss;
    EXPECT_THAT(checked.error().hint, HasSubstr("loss = \"model\""));
  }
  model.outputs = {{"float32", {8}, true}};
  EXPECT_TRUE(check_data(model, rows(100), config)) << "a regression may have one number per sample";
}

}  // namespace
}  // namespace funcpipe
