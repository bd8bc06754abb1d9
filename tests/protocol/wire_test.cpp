#include "protocol/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "base/crc32c.h"
#include "base/random.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

std::vector<std::byte> joined(const EncodedTensors& encoded) {
  std::vector<std::byte> object;
  for (const ConstBytes piece : encoded.pieces) object.insert(object.end(), piece.begin(), piece.end());
  EXPECT_EQ(static_cast<Bytes>(object.size()), encoded.size);
  return object;
}

struct Sample {
  std::vector<float> floats = std::vector<float>(7);
  std::vector<std::int64_t> integers{-1, 2, 3};
  std::vector<WireTensor> tensors;
  Sample() {
    std::iota(floats.begin(), floats.end(), 0.5f);
    const ConstBytes integer_bytes = std::as_bytes(std::span(integers));
    tensors = {{ElementType::float32, {7, 1}, std::as_bytes(std::span(floats))},
               {ElementType::float16, {3, 0, 5}, {}},
               {ElementType::int64, {}, integer_bytes.first(8)},
               {ElementType::boolean, {3}, integer_bytes.first(3)}};
  }
};

TEST(Wire, BringsBackWhatWentIn) {
  const Sample sample;
  const auto object = joined(encode_tensors(sample.tensors));
  const auto decoded = decode_tensors(object, "key");
  ASSERT_TRUE(decoded) << describe(decoded.error());
  ASSERT_EQ(decoded->size(), sample.tensors.size());
  for (std::size_t i = 0; i < decoded->size(); ++i) {
    const WireTensor& in = sample.tensors[i];
    const WireTensor& out = (*decoded)[i];
    EXPECT_EQ(out.type, in.type);
    EXPECT_EQ(out.shape, in.shape);
    ASSERT_EQ(out.bytes.size(), in.bytes.size());
    if (!in.bytes.empty()) {
      EXPECT_EQ(std::memcmp(out.bytes.data(), in.bytes.data(), in.bytes.size()), 0);
    }
    EXPECT_EQ((out.bytes.data() - object.data()) % kWireAlignment, 0u);
  }
}

TEST(Wire, TakesNoCopyOfTheTensors) {
  const Sample sample;
  const EncodedTensors encoded = encode_tensors(sample.tensors);
  EXPECT_EQ(encoded.pieces.at(0).data(), encoded.header.data());
  EXPECT_EQ(encoded.pieces.at(1).data(), sample.tensors[0].bytes.data());
}

TEST(Wire, AnEmptyTupleIsATuple) {
  const auto object = joined(encode_tensors({}));
  EXPECT_EQ(object.size(), kWireAlignment);
  const auto decoded = decode_tensors(object, "key");
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->empty());
}

// docs/formats/tensors.md shows these bytes. If they change, the version must.
TEST(Wire, GoldenBytes) {
  const std::vector<float> values{1.0f, -2.0f};
  const WireTensor tensor{ElementType::float32, {2}, std::as_bytes(std::span(values))};
  const auto object = joined(encode_tensors({&tensor, 1}));
  std::string hex;
  for (const std::byte byte : object) hex += fmt::format("{:02x}", static_cast<int>(byte));
  EXPECT_EQ(hex,
            "4650544e"  // magic
            "0100"
            "0100"              // version, tensors
            "40000000"          // header bytes
            "3e18f07d"          // header CRC
            "c9f236aa"          // payload CRC
            "00000000"          // reserved
            "0800000000000000"  // payload bytes
            "01"
            "01"
            "0000"
            "00000000"
            "4000000000000000"  // offset
            "0200000000000000"  // dimension
            "0000000000000000"
            "0000803f"
            "000000c0");
}

TEST(Wire, ReadsAndWritesTheGoldenFile) {
  constexpr const char* kGolden = "protocol/data/tensors-v1.bin";
  const Sample sample;
  const auto written = joined(encode_tensors(sample.tensors));
  expect_golden({reinterpret_cast<const char*>(written.data()), written.size()}, kGolden);

  const std::string golden = golden_text(kGolden);
  const auto read = decode_tensors(std::as_bytes(std::span(golden)), kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->size(), 4u);
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(read->at(0).type, ElementType::float32);
  EXPECT_EQ(read->at(0).shape, (Shape{7, 1}));
  std::vector<float> floats(7);
  ASSERT_EQ(read->at(0).bytes.size(), 28u);
  std::memcpy(floats.data(), read->at(0).bytes.data(), 28);
  EXPECT_EQ(floats, (std::vector<float>{0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f}));
  EXPECT_EQ(read->at(1).type, ElementType::float16);
  EXPECT_EQ(read->at(1).shape, (Shape{3, 0, 5}));
  EXPECT_TRUE(read->at(1).bytes.empty());
  EXPECT_EQ(read->at(2).type, ElementType::int64);
  EXPECT_EQ(read->at(2).shape, Shape{});
  std::int64_t integer = 0;
  ASSERT_EQ(read->at(2).bytes.size(), 8u);
  std::memcpy(&integer, read->at(2).bytes.data(), 8);
  EXPECT_EQ(integer, -1);
  EXPECT_EQ(read->at(3).type, ElementType::boolean);
  EXPECT_EQ(read->at(3).shape, (Shape{3}));
}

TEST(Wire, RefusesAnotherVersion) {
  std::string later = golden_text("protocol/data/tensors-v1.bin");
  ASSERT_GT(later.size(), 5u);
  later[4] = 2;
  const auto read = decode_tensors(std::as_bytes(std::span(later)), "key");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_EQ(read.error().place, "key");
  EXPECT_THAT(read.error().message, HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(read.error().hint, HasSubstr("of one release"));
}

TEST(Wire, EveryTypeHasANameAndASize) {
  for (int code = 1; code <= 12; ++code) {
    const auto type = static_cast<ElementType>(code);
    EXPECT_EQ(element_type(to_string(type)), type);
    EXPECT_GT(element_size(type), 0);
  }
  EXPECT_FALSE(element_type("complex32"));
}

TEST(Wire, RefusesEveryFlippedBitAndEveryTruncation) {
  const Sample sample;
  const auto object = joined(encode_tensors(sample.tensors));
  for (std::size_t i = 0; i < object.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      auto damaged = object;
      damaged[i] ^= std::byte{static_cast<unsigned char>(1 << bit)};
      const auto decoded = decode_tensors(damaged, "job/key");
      ASSERT_FALSE(decoded) << "byte " << i << " bit " << bit;
      EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
      EXPECT_EQ(decoded.error().place, "job/key");
    }
  }
  for (std::size_t size = 0; size < object.size(); ++size) {
    EXPECT_FALSE(decode_tensors(ConstBytes(object).first(size), "key")) << size;
  }
  auto longer = object;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_tensors(longer, "key"));
}

// Puts right the checksums of a damaged object, so that what lies behind them is tried.
void forge(std::vector<std::byte>& object) {
  if (object.size() < 32) return;
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, object.data() + 8, 4);
  if (header_bytes < 32 || header_bytes > object.size()) return;
  const ConstBytes all(object);
  const std::uint32_t payload = crc32c(all.subspan(header_bytes));
  std::memcpy(object.data() + 16, &payload, 4);
  std::memset(object.data() + 12, 0, 4);
  const std::uint32_t header = crc32c(all.first(header_bytes));
  std::memcpy(object.data() + 12, &header, 4);
}

TEST(Wire, ForgedHeadersNeverReachOutside) {
  const Sample sample;
  const auto object = joined(encode_tensors(sample.tensors));
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    auto damaged = object;
    const int changes = 1 + static_cast<int>(mix(seed, {0}) % 4);
    for (int c = 0; c < changes; ++c) {
      const std::uint64_t draw = mix(seed, {1, static_cast<std::uint64_t>(c)});
      const std::size_t at = (draw >> 16) % 160;
      constexpr unsigned char kNasty[] = {0, 1, 0x7f, 0x80, 0xff, 0x40};
      damaged[at] = std::byte{(draw & 1) ? kNasty[(draw >> 8) % 6] : static_cast<unsigned char>(draw >> 8)};
    }
    if (mix(seed, {2}) % 8 == 0) damaged.resize(mix(seed, {3}) % (damaged.size() + 1));
    forge(damaged);
    const auto decoded = decode_tensors(damaged, "key");
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
      continue;
    }
    ++accepted;
    for (const WireTensor& tensor : *decoded) {
      if (tensor.bytes.empty()) continue;
      EXPECT_GE(tensor.bytes.data(), damaged.data());
      EXPECT_LE(tensor.bytes.data() + tensor.bytes.size(), damaged.data() + damaged.size());
    }
  }
  EXPECT_GT(accepted, 0)
      << "some changes (a type of the same size) are valid: otherwise nothing got past the checksums";
}

TEST(Wire, RefusesSizesThatOverflow) {
  const std::vector<float> values(1);
  const WireTensor tensor{ElementType::float32, {1, 1, 1}, std::as_bytes(std::span(values))};
  const auto object = joined(encode_tensors({&tensor, 1}));
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{std::int64_t{1} << 62, 4, 1},
                                                 {std::int64_t{1} << 32, std::int64_t{1} << 32, 1},
                                                 {-1, -1, 1},
                                                 {0, -1, 1},
                                                 {2, 1, 1},
                                                 {INT64_MAX, INT64_MAX, INT64_MAX},
                                                 {INT64_MIN, 1, 1}}) {
    auto forged = object;
    std::memcpy(forged.data() + 48, shape.data(), 24);
    forge(forged);
    const auto decoded = decode_tensors(forged, "key");
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().message, HasSubstr("does not fit"));
  }
}

TEST(WireDeathTest, AShapeThatIsNotItsBytesIsOurOwnMistake) {
  const std::vector<float> values(3);
  const WireTensor tensor{ElementType::float32, {4}, std::as_bytes(std::span(values))};
  EXPECT_DEATH(encode_tensors({&tensor, 1}), "12 bytes for a shape of 16");
}

}  // namespace
}  // namespace funcpipe
