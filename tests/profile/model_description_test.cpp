#include "profile/model_description.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelDescription example() {
  ModelDescription description;
  description.source = "zoo:example";
  description.fingerprint = "0123456789abcdef";
  description.micro_batch = 4;
  description.inputs = {{"uint8", {4, 28, 28}, false}};
  description.outputs = {{"float32", {4, 10}, true}};
  description.parameters = {{"a.weight", {8, 3}, "float32", true}, {"b.weight", {5}, "float32", false}};
  description.layers = {{"a", {0}, 16, 4096, {{"float32", {4, 8}, true}, {"bool", {4}, false}}, {0}, true},
                        {"b", {0, 1}, 0, 128, {}, {}, false}};
  return description;
}

TEST(ModelDescription, SurvivesJson) {
  const auto json = to_json(example());
  const auto again = model_description_from_json(json, "model.json");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(to_json(*again), json);
  EXPECT_EQ(again->layers[0].border[1].dtype, "bool");
  EXPECT_TRUE(again->layers[0].random);
  EXPECT_FALSE(again->parameters[1].trainable);
}

TEST(ModelDescription, CountsTiedParametersOnce) {
  const auto description = example();
  EXPECT_EQ(description.parameter_bytes(), (24 + 5) * 4);
  EXPECT_THAT(description.parameters_of(0, 2), ElementsAre(0, 1));
  EXPECT_THAT(description.parameters_of(0, 1), ElementsAre(0));
  EXPECT_TRUE(description.parameters_of(1, 1).empty());
}

TEST(TensorSpec, KnowsItsBytes) {
  EXPECT_EQ((TensorSpec{"float32", {4, 3, 2}}.bytes()), 96);
  EXPECT_EQ((TensorSpec{"int64", {}}.bytes()), 8);
  EXPECT_EQ(element_size("float31"), 0);
}

TEST(ModelDescription, RefusesWhatIsNoDescription) {
  const auto error_of = [](const nlohmann::json& json) {
    const auto parsed = model_description_from_json(json, "model.json");
    return parsed ? std::string("no error") : describe(parsed.error());
  };
  EXPECT_THAT(error_of(nlohmann::json::array()), HasSubstr("no model description"));
  EXPECT_THAT(error_of({{"format", "something-else"}}), HasSubstr("no model description"));
  auto json = to_json(example());
  json["version"] = 99;
  EXPECT_THAT(error_of(json), HasSubstr("version 99"));
  json = to_json(example());
  json.erase("layers");
  EXPECT_THAT(error_of(json), HasSubstr("layers"));
  json = to_json(example());
  json["layers"][0]["parameters"] = {7};
  EXPECT_THAT(error_of(json), HasSubstr("beyond the 2 listed"));
  json = to_json(example());
  json["layers"][0]["border"][0]["dtype"] = "float31";
  EXPECT_THAT(error_of(json), HasSubstr("unknown type"));
  json = to_json(example());
  json["micro_batch"] = "four";
  EXPECT_THAT(error_of(json), HasSubstr("damaged"));
}

}  // namespace
}  // namespace funcpipe
