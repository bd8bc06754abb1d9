#include "worker/snapshot.h"

#include <gtest/gtest.h>

#include <random>

namespace funcpipe {
namespace {

Snapshot sample() {
  Snapshot snapshot;
  snapshot.iteration = 123;
  snapshot.validation_rounds = 2;
  snapshot.unreported = {{121, 2.5, 3, 4, 5, 0.25}, {122, 1.0 / 3, 1, 4, 5, 0.5}};
  snapshot.stage = std::string("stage\0bytes", 11);
  snapshot.optimizer = std::string("\1\0\2", 3);
  return snapshot;
}

TEST(Snapshot, ComesBackAsItWas) {
  const auto decoded = decode_snapshot(encode(sample()), "key");
  ASSERT_TRUE(decoded) << describe(decoded.error());
  EXPECT_EQ(decoded->iteration, 123);
  EXPECT_EQ(decoded->validation_rounds, 2);
  EXPECT_EQ(decoded->stage, sample().stage);
  EXPECT_EQ(decoded->optimizer, sample().optimizer);
  ASSERT_EQ(decoded->unreported.size(), 2u);
  EXPECT_EQ(decoded->unreported[1].loss, 1.0 / 3);
  EXPECT_EQ(decoded->unreported[1].iteration, 122);
}

TEST(Snapshot, DamageIsNoticed) {
  const std::string good = encode(sample());
  std::mt19937 random(3);  // seed of this fuzz run
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    if (round % 3 == 0)
      bad.resize(random() % bad.size());
    else
      bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
    const auto decoded = decode_snapshot(bad, "the key");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
    EXPECT_EQ(decoded.error().place, "the key");
  }
}

}  // namespace
}  // namespace funcpipe
