#include "catalog/bill.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace funcpipe
