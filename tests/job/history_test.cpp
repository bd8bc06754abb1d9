#include "job/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "golden_file.h"

namespace funcpipe {
namespace {

using nlohmann::json;

constexpr const char* kIterations = "job/data/history-v1.jsonl";
constexpr const char* kValidation = "job/data/validation-v1.json";

// Three iterations of 8 samples over 2 replicas, 2 iterations an epoch; the third has no finite loss.
History example() {
  JobSpec spec;
  spec.steps = 3;
  spec.steps_per_epoch = 2;
  spec.plan.replicas = 2;
  spec.plan.global_batch = 8;
  spec.validation.input.rows = 6;
  spec.config.platform.dilation = 2;
  History history(spec);
  history.add({{0, 10, 1, 4, 4, 1}, {1, 6, 2, 4, 4, 1}, {2, std::nan(""), 0, 4, 4, 1}});
  history.add({{0, 6, 2, 4, 4, 2}, {1, 4, 2, 4, 4, 3}, {2, 1, 0, 4, 4, 1}});
  history.add_validation(0, 2, {{0, 9, 3, 6, 6}});
  history.add_validation(1, 3, {{1, 3, 0, 0, 6}});
  return history;
}

// No part of the program reads these again; people's scripts do, by these names.
TEST(HistoryFile, IsWrittenAsTheGoldenFile) {
  expect_golden(example().iterations_jsonl(), kIterations);
  std::istringstream lines(golden_text(kIterations));
  std::vector<json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1]["iteration"], 1);
  EXPECT_EQ(rows[1]["epoch"], 0);
  EXPECT_EQ(rows[1]["loss"], 1.25);
  EXPECT_EQ(rows[1]["accuracy"], 0.5);
  EXPECT_EQ(rows[1]["samples"], 8);
  EXPECT_EQ(rows[1]["seconds"], 1.5) << "of the slowest replica, without what dilation adds";
  EXPECT_EQ(rows[2]["epoch"], 1);
  EXPECT_TRUE(rows[2]["loss"].is_null()) << "it is no finite number";
}

TEST(HistoryFile, OfValidationIsWrittenAsTheGoldenFile) {
  expect_golden(example().validation_json(), kValidation);
  const json rows = json::parse(golden_text(kValidation));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["iteration"], 2);
  EXPECT_EQ(rows[0]["epoch"], 1.0);
  EXPECT_EQ(rows[0]["loss"], 1.5);
  EXPECT_EQ(rows[0]["accuracy"], 0.5);
  EXPECT_EQ(rows[0]["samples"], 6);
  EXPECT_EQ(rows[1]["epoch"], 1.5);
  EXPECT_FALSE(rows[1].contains("accuracy")) << "a loss without predictions";
}

}  // namespace
}  // namespace funcpipe
