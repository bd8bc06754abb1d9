#include "worker/open_store.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

// Where everything is slowed down, a request may take as much longer.
TEST(OpenStore, LimitsAreOfThePlatformsSeconds) {
  const S3Options standard;
  for (const double dilation : {1.0, 2.5, 1000.0}) {
    const S3Options options = store_options("bucket", {}, dilation);
    EXPECT_DOUBLE_EQ(options.limits.connect, standard.limits.connect * dilation);
    EXPECT_DOUBLE_EQ(options.limits.stall, standard.limits.stall * dilation);
    EXPECT_DOUBLE_EQ(options.limits.overall, standard.limits.overall * dilation);
    EXPECT_DOUBLE_EQ(options.retry.total, standard.retry.total * dilation);
    EXPECT_EQ(options.retry.tries, standard.retry.tries);
  }
}

TEST(OpenStore, EndpointIsTheEnvironments) {
  ::unsetenv("AWS_ENDPOINT_URL_S3");
  ::unsetenv("AWS_ENDPOINT_URL");
  ::setenv("AWS_REGION", "eu-west-1", 1);
  const S3Options real = store_options("bucket", {}, 1);
  EXPECT_EQ(real.bucket, "bucket");
  EXPECT_EQ(real.endpoint.url, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(real.endpoint.region, "eu-west-1");
  EXPECT_FALSE(real.endpoint.path_style);
  ::setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/", 1);
  const S3Options emulated = store_options("bucket", {}, 1);
  EXPECT_EQ(emulated.endpoint.url, "http://127.0.0.1:9000");
  EXPECT_TRUE(emulated.endpoint.path_style);
  ::unsetenv("AWS_ENDPOINT_URL_S3");
  ::unsetenv("AWS_REGION");
}

}  // namespace
}  // namespace funcpipe
