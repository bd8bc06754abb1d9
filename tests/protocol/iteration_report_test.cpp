#include "protocol/iteration_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace funcpipe {
namespace {

using nlohmann::json;

TEST(IterationReports, SurviveJsonAlsoWhenTheLossDiverged) {
  const std::vector<IterationReport> reports = {{1, 2.5, 3, 4, 5, 0.25}, {2, std::nan(""), 0, 0, 5, 0.5}};
  const auto read = iteration_reports_from_json(json::parse(to_json(reports).dump()));
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].loss, 2.5);
  EXPECT_TRUE(std::isnan((*read)[1].loss));
  EXPECT_FALSE(iteration_reports_from_json(json::object()));
}

}  // namespace
}  // namespace funcpipe
