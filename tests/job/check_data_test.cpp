#include "job/check_data.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>

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
  data.train.target.row.dtype = "float32";
  EXPECT_TRUE(check_data(four_layers(), data, config));
  data.train.target.row.shape = {2};
  EXPECT_FALSE(check_data(four_layers(), data, config));

  data = rows(100);
  data.train.target.row.dtype = "float32";
  EXPECT_THAT(check_data(four_layers(), data, job()).error().hint, HasSubstr("mse"));
}

TEST(CheckData, MseWantsOneShape) {
  JobConfig config = job();
  config.model.loss = "mse";
  ModelDescription model = four_layers();
  const auto outcome = [&](std::vector<std::int64_t> output, std::vector<std::int64_t> row) {
    model.outputs = {{"float32", std::move(output), true}};
    Datasets data = rows(100);
    data.train.target.row = {"float32", std::move(row), false};
    return check_data(model, data, config);
  };
  EXPECT_TRUE(outcome({8, 4, 8, 8}, {4, 8, 8}));
  EXPECT_TRUE(outcome({8}, {}));
  const auto other_layout = outcome({8, 4, 8, 8}, {8, 8, 4});
  ASSERT_FALSE(other_layout) << "as many numbers in another order";
  for (const char* text : {"[8, 8, 4]", "[4, 8, 8]"}) EXPECT_THAT(other_layout.error().message, HasSubstr(text));
  EXPECT_THAT(other_layout.error().hint, HasSubstr("y.reshape(-1, 4, 8, 8)"));
  const auto broadcast = outcome({8, 1}, {});
  ASSERT_FALSE(broadcast) << "PyTorch would make [8, 8] of it";
  EXPECT_THAT(broadcast.error().hint, HasSubstr("y.reshape(-1, 1)"));
  EXPECT_THAT(outcome({8}, {1}).error().hint, HasSubstr("y.reshape(-1)"));
  EXPECT_FALSE(outcome({8, 4}, {1})) << "PyTorch would repeat it";
}

TEST(CheckData, FindsTheAxisOfTheClassesOrAsks) {
  JobConfig config = job();
  ModelDescription model = four_layers();
  const auto data_of = [](std::vector<std::int64_t> row) {
    Datasets data = rows(100);
    data.train.target.row.shape = std::move(row);
    return data;
  };
  const auto axis = [&](std::vector<std::int64_t> output, std::vector<std::int64_t> row) -> std::string {
    model.outputs = {{"float32", std::move(output), true}};
    const Datasets data = data_of(std::move(row));
    const auto checked = check_data(model, data, config);
    return checked ? decided_class_axis(model, data, config) : checked.error().hint;
  };
  EXPECT_EQ(axis({8, 3}, {}), "last");
  EXPECT_EQ(axis({8, 5, 3}, {5}), "last");
  EXPECT_EQ(axis({8, 3, 5}, {5}), "second");
  EXPECT_EQ(axis({8, 3, 5, 7}, {5, 7}), "second");
  EXPECT_THAT(axis({8, 5, 5}, {5}), HasSubstr("class_axis = \"second\" or \"last\""));
  EXPECT_EQ(axis({8, 8, 5}, {5}), "second") << "the batch is no axis of classes";
  config.model.class_axis = "second";
  EXPECT_EQ(axis({8, 5, 5}, {5}), "second");
  EXPECT_EQ(axis({8, 3}, {}), "last") << "the same axis here";
  EXPECT_THAT(axis({8, 5, 3}, {5}), HasSubstr("one class number per prediction"));
  config.model.class_axis = "last";
  EXPECT_EQ(axis({8, 5, 5}, {5}), "last");
  config.model.class_axis = "auto";
  config.model.source = "zoo:char-gpt";
  EXPECT_EQ(axis({8, 5, 5}, {5}), "last");
}

TEST(CheckData, RefusesAModelWithNothingToTrain) {
  ModelDescription model = four_layers();
  model.outputs.front().requires_grad = false;
  EXPECT_THAT(check_data(model, rows(100), job()).error().message, HasSubstr("depends on none of its 4 trainable"));
  for (ParameterDescription& parameter : model.parameters) parameter.trainable = false;
  const auto frozen = check_data(model, rows(100), job());
  ASSERT_FALSE(frozen);
  EXPECT_THAT(frozen.error().message, HasSubstr("nothing to train: none of the model's 4 parameters"));
  EXPECT_EQ(frozen.error().place, "four.pt");
  model.parameters.front().trainable = true;
  model.outputs.front().requires_grad = true;
  EXPECT_TRUE(check_data(model, rows(100), job()));
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

TEST(CheckData, NamesTheFirstTargetThatIsNoNumber) {
  JobConfig config = job();
  config.model.loss = "mse";
  const auto outcome = [&](Column target) {
    Datasets data = rows(target.rows);
    data.train.target = std::move(target);
    return check_data(four_layers(), data, config);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(outcome(classes<float>("float32", {1, 2, 3, 4, 5, 6}, 3)));
  const auto wrong = outcome(classes<float>("float32", {1, 2, 3, 4, nan, 6}, 3));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the target of row 1 is no finite float32 number");
  EXPECT_EQ(wrong.error().place, "y.npy");
  EXPECT_FALSE(outcome(classes<double>("float64", {1, 2, 1e300}, 3))) << "infinite as float32";
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
