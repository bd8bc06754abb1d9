#include "cli/summary.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kWide = 1000;

TrainResult example() {
  TrainResult result;
  result.folder = "runs/fashion";
  result.prices = {.gb_second = 1e-5, .invocation = 2e-7, .put = 5e-6, .get = 4e-7};
  result.bill.by_function["funcpipe-fashion-1024"] = {.invocations = 4, .gb_seconds = 100, .put = 1000, .get = 2000};
  result.bill.by_function["client"] = {.put = 10, .get = 5, .list = 1};
  result.epochs = {{.epoch = 1,
                    .train_loss = 0.5,
                    .train_accuracy = 0.8,
                    .validation_loss = 0.4,
                    .validation_accuracy = 0.885,
                    .elapsed = 30}};
  result.training_seconds = 31;
  return result;
}

TEST(Summary, SaysHowGoodHowDearAndWhere) {
  const std::string text = summary(example(), {}, "bin/funcpipe", "job.toml", kWide);
  EXPECT_THAT(text, HasSubstr("88.50%"));
  EXPECT_THAT(text, HasSubstr("funcpipe-fashion-1024"));
  EXPECT_THAT(text, HasSubstr("runs/fashion"));
  EXPECT_THAT(text, HasSubstr("bin/funcpipe train job.toml"));
}

TEST(Summary, WarnsOfALossThatIsNotANumber) {
  TrainResult result = example();
  EXPECT_THAT(summary(result, {}, "funcpipe", "job.toml", kWide), Not(HasSubstr("Warning")));
  result.epochs.back().train_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(summary(result, {}, "funcpipe", "job.toml", kWide), HasSubstr("optimizer.lr"));
}

TEST(Summary, BillAddsUp) {
  const TrainResult result = example();
  const std::string text = bill_table(result.bill, result.prices, kWide);
  const std::size_t total = text.rfind("total ");
  ASSERT_NE(total, std::string::npos);
  EXPECT_THAT(text.substr(total), HasSubstr("1010"));
  EXPECT_THAT(text.substr(total), HasSubstr(format_dollars(result.bill.total().dollars(result.prices))));
}

TEST(Summary, VcpuSecondsAreShownWhereTheyArePaidFor) {
  TrainResult result = example();
  EXPECT_THAT(bill_table(result.bill, result.prices, kWide), Not(HasSubstr("vCPU-s")));
  result.prices.vcpu_second = 2e-5;
  result.bill.by_function.begin()->second.vcpu_seconds = 12345.6;
  const std::string text = bill_table(result.bill, result.prices, kWide);
  EXPECT_THAT(text, HasSubstr("vCPU-s"));
  EXPECT_THAT(text.substr(text.rfind("total ")), HasSubstr("12345.6"));
  for (const int width : {80, 60, 40}) {
    std::istringstream lines(bill_table(result.bill, result.prices, width));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(static_cast<int>(line.size()), width) << line;
  }
}

TEST(Summary, TablesFitTheScreen) {
  for (const int width : {120, 80, 60, 40}) {
    const std::string text = summary(example(), {}, "funcpipe", "job.toml", width);
    std::istringstream lines(text.substr(0, text.find("Results in")));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(static_cast<int>(line.size()), width) << text;
    EXPECT_THAT(text, HasSubstr("88.50%")) << "what matters most stays";
    EXPECT_THAT(text, HasSubstr(format_dollars(example().bill.total().dollars(example().prices))));
  }
  EXPECT_THAT(summary(example(), {}, "funcpipe", "job.toml", kWide), HasSubstr("LIST"));
  EXPECT_THAT(summary(example(), {}, "funcpipe", "job.toml", 60), HasSubstr("80.00%")) << "every column of the epochs";
}

TEST(Summary, SuggestsWhatWasNotTried) {
  JobConfig config;
  const auto text = [&] { return summary(example(), config, "funcpipe", "job.toml", kWide); };
  EXPECT_THAT(text(), HasSubstr("--emulate aws-lambda"));
  EXPECT_THAT(text(), HasSubstr("job.toml --stages 1 --replicas 4"));
  config.platform.name = "aws-lambda";
  config.parallelism.stages = 1;
  config.parallelism.plan = "plan.json";
  EXPECT_THAT(text(), Not(HasSubstr("--emulate aws-lambda")));
  EXPECT_THAT(text(), HasSubstr("--emulate alibaba-fc"));
  EXPECT_THAT(text(), HasSubstr("--parallelism.plan \"\" --stages 2 --replicas 2"));
  config.platform.s3_endpoint = "http://s3";
  EXPECT_THAT(text(), Not(HasSubstr("--emulate")));
}

TEST(Summary, JsonHasTheSameFigures) {
  const nlohmann::json json = summary_json(example());
  EXPECT_EQ(json["epochs"][0]["validation_accuracy"], 0.885);
  EXPECT_EQ(json["bill"]["total"]["put"], 1010);
  EXPECT_EQ(json["folder"], "runs/fashion");
}

}  // namespace
}  // namespace funcpipe
