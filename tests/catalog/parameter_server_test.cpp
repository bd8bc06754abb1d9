#include "catalog/parameter_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "catalog/bill.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

using testing::HasSubstr;

TEST(ParameterServer, ItsFileIsRead) {
  const auto server = load_parameter_server("c5.9xlarge");
  ASSERT_TRUE(server) << describe(server.error());
  EXPECT_EQ(server->name, "c5.9xlarge");
  EXPECT_DOUBLE_EQ(server->per_second * 3600, 1.53);
  EXPECT_DOUBLE_EQ(server->bandwidth, 1.25e9);
  EXPECT_DOUBLE_EQ(server->latency, 0.001);
  const auto none = load_parameter_server("c1.nothing");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_THAT(describe(none.error()), HasSubstr("c5.9xlarge"));
}

TEST(ParameterServer, TheGoldenFileIsReadAndAnotherVersionRefused) {
  ::setenv("FUNCPIPE_PLATFORMS", golden_path("catalog/data").c_str(), 1);
  const auto server = load_parameter_server("server-v1"), later = load_parameter_server("server-v2");
  ::unsetenv("FUNCPIPE_PLATFORMS");
  ASSERT_TRUE(server) << describe(server.error());
  EXPECT_EQ(server->name, "server-v1");
  EXPECT_DOUBLE_EQ(server->per_second, 1.5 / 3600);
  EXPECT_EQ(server->bandwidth, 1.25e9);
  EXPECT_EQ(server->latency, 0.001);
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(later.error().place, HasSubstr("server-v2.toml:2"));
}

TEST(ParameterServer, IsTheStoreOfThePlatformBesideIt) {
  const ParameterServer server{.bandwidth = 5e8, .latency = 0.002};
  const Platform before = load_platform("aws-lambda").value(), after = beside(server, before);
  EXPECT_EQ(after.latency.put, 0.002);
  EXPECT_EQ(after.latency.get_p99, 0.002);
  EXPECT_EQ(after.store.upload, 5e8);
  EXPECT_EQ(after.store.download, 5e8);
  EXPECT_EQ(after.store.puts_per_second, StoreLimits{}.puts_per_second) << "no limit";
  Usage usage{.put = 1000, .get = 1000};
  EXPECT_EQ(usage.dollars(after.prices), 0);
  usage.add_invocation(1024, 1, 10);
  usage.rent = 0.25;
  EXPECT_DOUBLE_EQ(usage.dollars(after.prices), usage.compute_dollars(before.prices));
  EXPECT_DOUBLE_EQ(usage.dollars(after.prices), 10 * before.prices.gb_second + before.prices.invocation + 0.25);
}

}  // namespace
}  // namespace funcpipe
