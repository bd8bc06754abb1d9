#include "profile/measurement.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

TEST(Measurement, SurvivesJson) {
  MeasureRequest request;
  request.bucket = "b";
  request.prefix = "p";
  request.results = "512mb";
  request.optimizer = "adam";
  request.threads = 2;
  request.vcpus = 0.3;
  request.dilation = 4;
  request.by_wall = true;
  request.option = true;
  request.micro_batch = 8;
  request.first_layer = 3;
  request.end_layer = 9;
  request.repeats = 7;
  request.seconds_per_cpu_second = 3.5;
  const auto json = to_json(request);
  EXPECT_TRUE(is_measure_request(json));
  const auto again = measure_request_from_json(json, "payload");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(to_json(*again), json);

  const MeasureAnswer answer{"continue", 5, {1, 2, 3, 4, 5, 6}, "none"};
  const auto answered = measure_answer_from_json(to_json(answer), "answer");
  ASSERT_TRUE(answered) << describe(answered.error());
  EXPECT_EQ(to_json(*answered), to_json(answer));

  const LayerMeasurement layer{{true, 1, 2, 3, 4}, {5, 6, 7, 8}, 9};
  const auto measured = layer_measurement_from_json(to_json(layer), "layer");
  ASSERT_TRUE(measured) << describe(measured.error());
  EXPECT_EQ(to_json(*measured), to_json(layer));
}

TEST(Measurement, NamesWhatIsMissing) {
  auto json = to_json(MeasureRequest{});
  json["profile"].erase("repeats");
  const auto read = measure_request_from_json(json, "payload");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().place, "payload");
  EXPECT_THAT(read.error().message, ::testing::HasSubstr("repeats"));
  EXPECT_FALSE(is_measure_request({{"job", "x"}}));
}

}  // namespace
}  // namespace funcpipe
