#include "profile/model_description.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "golden_file.h"

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

// Every field, those too that are written only where they say something.
ModelDescription whole_example() {
  ModelDescription description = example();
  description.layers[0].border.push_back({"int64", {2}, false, {4, 8}});
  description.layers[0].shared_state = {"a.running_mean", "a.running_var"};
  description.layers[0].shared_state_bytes = 16;
  description.layers[1].whole_because = "a list is changed in place: calls (model.py:12)";
  description.perhaps_not_in_state_dict = {"b.mask"};
  return description;
}

constexpr const char* kGolden = "profile/data/model-description-v1.json";

TEST(ModelDescription, IsWrittenAsTheGoldenFile) {
  expect_golden(to_json(whole_example()).dump(2) + "\n", kGolden);
}

TEST(ModelDescription, ReadsTheGoldenFile) {
  const auto read = model_description_from_json(nlohmann::json::parse(golden_text(kGolden)), kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->source, "zoo:example");
  EXPECT_EQ(read->fingerprint, "0123456789abcdef");
  EXPECT_EQ(read->micro_batch, 4);
  ASSERT_EQ(read->inputs.size(), 1u);
  EXPECT_EQ(read->inputs[0].dtype, "uint8");
  EXPECT_THAT(read->inputs[0].shape, ElementsAre(4, 28, 28));
  EXPECT_FALSE(read->inputs[0].requires_grad);
  ASSERT_EQ(read->outputs.size(), 1u);
  EXPECT_THAT(read->outputs[0].shape, ElementsAre(4, 10));
  EXPECT_TRUE(read->outputs[0].requires_grad);
  ASSERT_EQ(read->parameters.size(), 2u);
  EXPECT_EQ(read->parameters[1].name, "b.weight");
  EXPECT_THAT(read->parameters[1].shape, ElementsAre(5));
  EXPECT_EQ(read->parameters[1].dtype, "float32");
  EXPECT_FALSE(read->parameters[1].trainable);
  EXPECT_TRUE(read->parameters[0].trainable);
  EXPECT_THAT(read->perhaps_not_in_state_dict, ElementsAre("b.mask"));
  ASSERT_EQ(read->layers.size(), 2u);
  const LayerDescription &a = read->layers[0], &b = read->layers[1];
  EXPECT_EQ(a.name, "a");
  EXPECT_THAT(a.parameters, ElementsAre(0));
  EXPECT_EQ(a.buffer_bytes, 16);
  EXPECT_EQ(a.activation_bytes, 4096);
  ASSERT_EQ(a.border.size(), 3u);
  EXPECT_EQ(a.border[1].dtype, "bool");
  EXPECT_THAT(a.border[2].values, ElementsAre(4, 8));
  EXPECT_THAT(a.data_inputs, ElementsAre(0));
  EXPECT_TRUE(a.random);
  EXPECT_EQ(a.whole_because, "");
  EXPECT_THAT(a.shared_state, ElementsAre("a.running_mean", "a.running_var"));
  EXPECT_EQ(a.shared_state_bytes, 16);
  EXPECT_THAT(b.parameters, ElementsAre(0, 1));
  EXPECT_TRUE(b.border.empty());
  EXPECT_FALSE(b.random);
  EXPECT_EQ(b.whole_because, "a list is changed in place: calls (model.py:12)");
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
  EXPECT_THAT(error_of(json), HasSubstr("version 99, this program reads version 1"));
  EXPECT_THAT(error_of(json), HasSubstr("write it anew"));
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
  EXPECT_THAT(error_of(json), HasSubstr("micro_batch: expected a whole number from 1"));
}

// Each of these was once taken, and led somewhere else.
TEST(ModelDescription, RefusesFiguresThereCannotBe) {
  const auto error_of = [](const char* pointer, const nlohmann::json& value) {
    auto json = to_json(example());
    json[nlohmann::json::json_pointer(pointer)] = value;
    const auto parsed = model_description_from_json(json, "model.json");
    return parsed ? std::string("no error") : describe(parsed.error());
  };
  const auto huge = std::int64_t{1} << 62;
  EXPECT_THAT(error_of("/parameters/0/shape/1", -3), HasSubstr("model.json: parameters[0].shape[1]: expected a whole"));
  EXPECT_THAT(error_of("/parameters/0/shape/1", 2.5), HasSubstr("parameters[0].shape[1]"));
  EXPECT_THAT(error_of("/parameters/0/shape", {std::int64_t{1} << 40, std::int64_t{1} << 40}),
              HasSubstr("parameters[0].shape"));
  EXPECT_THAT(error_of("/parameters/0/shape", 7), HasSubstr("list of extents"));
  EXPECT_THAT(error_of("/parameters/0/trainable", 1), HasSubstr("parameters[0].trainable"));
  EXPECT_THAT(error_of("/parameters/0/colour", "red"), HasSubstr("unknown key \"colour\""));
  EXPECT_THAT(error_of("/layers/0/parameters/0", huge), HasSubstr("layers[0].parameters[0]"));
  EXPECT_THAT(error_of("/layers/0/parameters/0", -1), HasSubstr("layers[0].parameters[0]"));
  EXPECT_THAT(error_of("/layers/0/data_inputs/0", 1), HasSubstr("beyond the 1 listed"));
  EXPECT_THAT(error_of("/layers/0/buffer_bytes", 1.5), HasSubstr("layers[0].buffer_bytes"));
  EXPECT_THAT(error_of("/layers/0/activation_bytes", huge), HasSubstr("layers[0].activation_bytes"));
  EXPECT_THAT(error_of("/layers/0/boarder", nlohmann::json::array()), HasSubstr("unknown key \"boarder\""));
  EXPECT_THAT(error_of("/layers/0/border/0/shape/0", 0.5), HasSubstr("layers[0].border[0].shape[0]"));
  EXPECT_THAT(error_of("/layers/0/border/0/grad", true), HasSubstr("unknown key \"grad\""));
  EXPECT_THAT(error_of("/layers/0/random", "yes"), HasSubstr("layers[0].random"));
  EXPECT_THAT(error_of("/inputs", nlohmann::json::object()), HasSubstr("inputs: expected a list"));
  EXPECT_THAT(error_of("/micro_batch", huge), HasSubstr("micro_batch"));
  EXPECT_THAT(error_of("/source", 5), HasSubstr("source: expected a text"));
  EXPECT_THAT(error_of("/note", 5), HasSubstr("unknown key \"note\""));
}

}  // namespace
}  // namespace funcpipe
