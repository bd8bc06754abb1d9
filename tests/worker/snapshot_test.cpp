#include "worker/snapshot.h"

#include <gmock/gmock.h>

#include <random>

#include "golden_file.h"

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

std::string bytes_of(const Snapshot& snapshot) {
  const EncodedSnapshot encoded = encode(snapshot);
  std::string bytes;
  for (const ConstBytes piece : encoded.pieces())
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  return bytes;
}

TEST(Snapshot, ComesBackAsItWas) {
  const auto decoded = decode_snapshot(bytes_of(sample()), "key");
  ASSERT_TRUE(decoded) << describe(decoded.error());
  EXPECT_EQ(decoded->iteration, 123);
  EXPECT_EQ(decoded->validation_rounds, 2);
  EXPECT_EQ(decoded->stage, sample().stage);
  EXPECT_EQ(decoded->optimizer, sample().optimizer);
  ASSERT_EQ(decoded->unreported.size(), 2u);
  EXPECT_EQ(decoded->unreported[1].loss, 1.0 / 3);
  EXPECT_EQ(decoded->unreported[1].iteration, 122);
}

constexpr const char* kGolden = "worker/data/snapshot-v1.bin";

// Of the frame. The stage file in it is libtorch's archive, whose bytes change with its release: some other bytes stand
// for it here, as for the optimiser's state (optimizer_test.cpp). tests/model/stage_file_test.cpp has the archive.
TEST(Snapshot, IsWrittenAsTheGoldenFile) {
  Snapshot snapshot = sample();
  snapshot.iteration_seconds = 1.25;
  snapshot.validation_seconds = 0.5;
  expect_golden(bytes_of(snapshot), kGolden);
}

TEST(Snapshot, ReadsTheGoldenFile) {
  const auto read = decode_snapshot(golden_text(kGolden), kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->iteration, 123);
  EXPECT_EQ(read->validation_rounds, 2);
  EXPECT_EQ(read->iteration_seconds, 1.25);
  EXPECT_EQ(read->validation_seconds, 0.5);
  EXPECT_EQ(read->stage, sample().stage);
  EXPECT_EQ(read->optimizer, sample().optimizer);
  ASSERT_EQ(read->unreported.size(), 2u);
  const IterationReport& report = read->unreported[0];
  EXPECT_EQ(report.iteration, 121);
  EXPECT_EQ(report.loss, 2.5);
  EXPECT_EQ(report.correct, 3);
  EXPECT_EQ(report.predictions, 4);
  EXPECT_EQ(report.samples, 5);
  EXPECT_EQ(report.seconds, 0.25);
  EXPECT_EQ(read->unreported[1].iteration, 122);
}

TEST(Snapshot, OfAnotherVersionIsRefused) {
  std::string later = bytes_of(sample());
  later[7] = '2';
  const auto read = decode_snapshot(later, "the key");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(read.error().place, "the key");
  EXPECT_THAT(read.error().message, ::testing::HasSubstr("version 02, this program reads version 01"));
  EXPECT_THAT(read.error().hint, ::testing::HasSubstr("train again"));
}

TEST(Snapshot, DamageIsNoticed) {
  const std::string good = bytes_of(sample());
  std::mt19937 random(3);  // seed of this fuzz run
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    if (round % 3 == 0)
      bad.resize(random() % bad.size());
    else
      bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
    const auto decoded = decode_snapshot(bad, "the key");
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().code, ::testing::AnyOf(ErrorCode::corrupt, ErrorCode::invalid_input));
    EXPECT_EQ(decoded.error().place, "the key");
  }
}

}  // namespace
}  // namespace funcpipe
