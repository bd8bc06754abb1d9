#include "base/units.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

TEST(Units, BytesReadAndWrite) {
  EXPECT_EQ(*parse_bytes("64"), 64);
  EXPECT_EQ(*parse_bytes("512 MiB"), 512 * kMiB);
  EXPECT_EQ(*parse_bytes("70MB"), 70'000'000);
  EXPECT_EQ(*parse_bytes("1.5 GiB"), kGiB + kGiB / 2);
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(3 * kMiB / 2), "1.5 MiB");
  for (const char* bad : {"", "MiB", "-1 MiB", "12 parsecs", "nan", "nan MiB", "inf", "1e30", "1e10 GiB"}) {
    const auto size = parse_bytes(bad);
    ASSERT_FALSE(size) << bad;
    EXPECT_EQ(size.error().code, ErrorCode::invalid_input) << bad;
  }
}

TEST(Units, SecondsChooseTheirScale) {
  EXPECT_EQ(format_seconds(0.00085), "850 us");
  EXPECT_EQ(format_seconds(0.0123), "12.3 ms");
  EXPECT_EQ(format_seconds(4.213), "4.21 s");
  EXPECT_EQ(format_seconds(200), "3 min 20 s");
  EXPECT_EQ(format_seconds(7500), "2 h 05 min");
}

TEST(Units, DollarsKeepThreePlacesThatMatter) {
  EXPECT_EQ(format_dollars(0), "$0.00");
  EXPECT_EQ(format_dollars(0.00112), "$0.00112");
  EXPECT_EQ(format_dollars(12.345), "$12.35");
  EXPECT_EQ(format_dollars(4e-7), "$0.000000400");
}

}  // namespace
}  // namespace funcpipe
