#include "catalog/bill.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "catalog/bill_file.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

TEST(Bill, PricesTheWorkedExampleOfFourStagesTwoReplicas) {
  auto platform = load_platform("aws-lambda");
  ASSERT_TRUE(platform) << describe(platform.error());
  Usage usage;
  usage.put = 208;
  usage.get = 208;
  EXPECT_NEAR(usage.dollars(platform->prices), 0.00112, 0.00001);
}

TEST(Bill, SumsOverFunctions) {
  Bill bill;
  bill.by_function["a"] = Usage{1, 2.5, 1.5, 3, 4, 5, 6, 7, 8};
  bill.by_function["client"] = Usage{0, 0.5, 0.25, 30, 40, 50, 60, 70, 80};
  const Usage total = bill.total();
  EXPECT_EQ(total.invocations, 1);
  EXPECT_DOUBLE_EQ(total.gb_seconds, 3.0);
  EXPECT_DOUBLE_EQ(total.vcpu_seconds, 1.75);
  EXPECT_EQ(total.put, 33);
  EXPECT_EQ(total.get, 44);
  EXPECT_EQ(total.list, 55);
  EXPECT_EQ(total.remove, 66);
  EXPECT_EQ(total.uploaded, 77);
  EXPECT_EQ(total.downloaded, 88);
}

TEST(Bill, AnInvocationIsPaidByItsMemoryAndItsVcpus) {
  Usage usage;
  usage.add_invocation(4096, 2, 10);
  usage.add_invocation(1024, 0.5, 4);
  EXPECT_EQ(usage.invocations, 2);
  EXPECT_DOUBLE_EQ(usage.gb_seconds, 44);
  EXPECT_DOUBLE_EQ(usage.vcpu_seconds, 22);
  const Prices prices{.gb_second = 3e-6, .vcpu_second = 2e-5, .invocation = 1.5e-7};
  EXPECT_DOUBLE_EQ(usage.compute_dollars(prices), 44 * 3e-6 + 22 * 2e-5 + 2 * 1.5e-7);
  EXPECT_DOUBLE_EQ(to_json(Bill{{{"f", usage}}}, prices)["total"]["vcpu_seconds"], 22);
}

TEST(Bill, ListIsPricedAsPutAndDeleteIsFree) {
  const Prices prices{.put = 5e-6, .get = 4e-7};
  Usage usage;
  usage.list = 1;
  usage.remove = 1000;
  EXPECT_DOUBLE_EQ(usage.dollars(prices), 5e-6);
}

TEST(Bill, JsonHasARowPerFunctionAndATotal) {
  Bill bill;
  bill.by_function["stage-0"].gb_seconds = 2;
  const auto json = to_json(bill, Prices{.gb_second = 0.5});
  EXPECT_DOUBLE_EQ(json["by_function"]["stage-0"]["dollars"], 1.0);
  EXPECT_DOUBLE_EQ(json["total"]["compute_dollars"], 1.0);
}

// `funcpipe resume` reads what was billed before; scripts read it by these names. What write_bill adds is in its page.
TEST(Bill, IsWrittenAsTheGoldenFile) {
  constexpr const char* kGolden = "catalog/data/bill-v1.json";
  Bill bill;
  bill.by_function["client"] = {.put = 10, .get = 20, .list = 3, .remove = 4, .uploaded = 500, .downloaded = 600};
  bill.by_function["funcpipe-fashion-2048"] = {
      .invocations = 2, .gb_seconds = 32, .vcpu_seconds = 16, .put = 100, .get = 200, .uploaded = 7000};
  bill.by_function["server c5.9xlarge"] = {.rent = 0.5};
  const Prices prices{.gb_second = 0.25, .vcpu_second = 0.5, .invocation = 0.125, .put = 0.0625, .get = 0.03125};
  expect_golden(to_json(bill, prices).dump(2) + "\n", kGolden);

  const auto golden = nlohmann::json::parse(golden_text(kGolden));
  EXPECT_EQ(golden["version"], 1);
  const nlohmann::json& function = golden["by_function"]["funcpipe-fashion-2048"];
  EXPECT_EQ(function["invocations"], 2);
  EXPECT_EQ(function["gb_seconds"], 32);
  EXPECT_EQ(function["vcpu_seconds"], 16);
  EXPECT_EQ(function["put"], 100);
  EXPECT_EQ(function["get"], 200);
  EXPECT_EQ(function["uploaded_bytes"], 7000);
  EXPECT_EQ(function["downloaded_bytes"], 0);
  EXPECT_EQ(function["compute_dollars"], 32 * 0.25 + 16 * 0.5 + 2 * 0.125);
  EXPECT_EQ(function["request_dollars"], 100 * 0.0625 + 200 * 0.03125);
  EXPECT_EQ(function["dollars"], 16.25 + 12.5);
  EXPECT_FALSE(function.contains("rent_dollars"));
  EXPECT_EQ(golden["by_function"]["client"]["list"], 3);
  EXPECT_EQ(golden["by_function"]["client"]["delete"], 4);
  EXPECT_EQ(golden["by_function"]["server c5.9xlarge"]["rent_dollars"], 0.5);
  EXPECT_EQ(golden["total"]["get"], 220);

  const auto read = bill_from_json(golden, kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read, prices), to_json(bill, prices));
}

TEST(Bill, OfAnotherVersionOrDamagedIsRefused) {
  auto json = to_json(Bill{{{"f", Usage{.put = 3}}}}, {});
  json["version"] = 2;
  EXPECT_FALSE(bill_from_json(json, "bill.json"));
  json["version"] = 1;
  json["by_function"]["f"]["put"] = "many";
  EXPECT_FALSE(bill_from_json(json, "bill.json"));
  EXPECT_FALSE(bill_from_json(nlohmann::json::array(), "bill.json"));
}

}  // namespace
}  // namespace funcpipe
