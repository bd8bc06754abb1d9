#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <random>

#include "data/readers.h"
#include "scratch_folder.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string npy(const std::string& header, std::string_view data, int major = 1) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(major);
  text += '\0';
  const std::size_t length = header.size();
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) text += static_cast<char>(length >> (8 * i) & 0xff);
  return text + header + std::string(data);
}

class Npy : public ScratchFolder {
 protected:
  Result<Column> read(const std::string& content) { return read_npy(file("a.npy", content)); }
  void refused(const std::string& content, const std::string& message, const std::string& hint = "") {
    const auto column = read(content);
    ASSERT_FALSE(column) << message;
    EXPECT_EQ(column.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(column.error().message, HasSubstr(message));
    EXPECT_THAT(column.error().place, HasSubstr("a.npy"));
    EXPECT_THAT(column.error().hint, HasSubstr(hint));
    EXPECT_FALSE(column.error().hint.empty());
  }
};

TEST_F(Npy, ReadsEveryVersion) {
  const std::string data("\1\2\3\4\5\6", 6);
  for (const int major : {1, 2, 3}) {
    const auto column = read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }      \n", data, major));
    ASSERT_TRUE(column) << describe(column.error());
    EXPECT_EQ(column->rows, 3);
    EXPECT_EQ(column->row.dtype, "uint8");
    EXPECT_THAT(column->row.shape, ElementsAre(2));
    EXPECT_EQ(std::memcmp(column->bytes.get(), data.data(), data.size()), 0);
  }
}

TEST_F(Npy, ReadsScalarsPerRow) {
  const auto column = read(npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", std::string(16, '\7')));
  ASSERT_TRUE(column);
  EXPECT_EQ(column->row.dtype, "int64");
  EXPECT_TRUE(column->row.shape.empty());
  EXPECT_EQ(column->rows, 2);
}

TEST_F(Npy, WidensUnsignedNumbersThatPyTorchLacks) {
  const auto two =
      read(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 1), }", std::string("\xff\xff\1\0", 4)));
  ASSERT_TRUE(two) << describe(two.error());
  EXPECT_EQ(two->row.dtype, "int32");
  EXPECT_EQ(two->row.bytes(), 4);
  std::array<std::int32_t, 2> numbers{};
  std::memcpy(numbers.data(), two->bytes.get(), sizeof numbers);
  EXPECT_THAT(numbers, ElementsAre(65535, 1));

  const auto four =
      read(npy("{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", std::string("\xff\xff\xff\xff", 4)));
  ASSERT_TRUE(four) << describe(four.error());
  EXPECT_EQ(four->row.dtype, "int64");
  std::int64_t number = 0;
  std::memcpy(&number, four->bytes.get(), sizeof number);
  EXPECT_EQ(number, 4294967295);
  refused(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }", std::string(4, '\0')),
          "needs 6 bytes, the file has 4");
}

TEST_F(Npy, RefusesWithAWayOut) {
  const std::string eight(8, '\0');
  refused("hello, this is text", "not a .npy file", "numpy.save");
  refused("\x93NUMPY", "cut off");
  refused(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", eight), "Fortran order",
          "ascontiguousarray");
  refused(npy("{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }", eight), "no twin in PyTorch", "float32");
  refused(npy("{'descr': '<M8', 'fortran_order': False, 'shape': (1,), }", eight), "no twin in PyTorch", "float32");
  refused(npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", eight), "no twin in PyTorch",
          "x.astype(\"int64\")");
  refused(npy("{'descr': '<V2', 'fortran_order': False, 'shape': (4,), }", eight), "no twin in PyTorch", "bfloat16");
  refused(npy("{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", eight + eight), "no twin in PyTorch",
          "x.astype(\"float32\")");
  refused(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", eight), "order of another processor",
          "x.astype(\"<f4\")");
  refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", eight), "not understood");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", eight), "needs 12 bytes, the file has 8");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", eight), "no dimension");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", ""), "no rows");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 0), }", ""), "empty");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 3), }", eight), "beyond");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99223372036854775807,), }", eight), "not understood");
  refused(npy("{}", eight, 9), "version 1, 2 or 3");
}

TEST_F(Npy, DamagedHeadersNeverCrash) {
  const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", std::string(16, '\1'));
  std::mt19937 random(20221);  // seed of this fuzz run
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits)
      bad[6 + random() % (bad.size() - 6)] = static_cast<char>(random());
    if (random() % 4 == 0) bad.resize(1 + random() % bad.size());
    const auto column = read(bad);
    if (column) {
      EXPECT_LE(column->rows * column->row.bytes(), 2 * static_cast<Bytes>(bad.size()))
          << "unsigned numbers are widened";
    } else {
      EXPECT_EQ(column.error().code, ErrorCode::invalid_input);
    }
  }
}

TEST_F(Npy, NamesAMissingFile) {
  const auto column = read_npy(path("none.npy"));
  ASSERT_FALSE(column);
  EXPECT_EQ(column.error().code, ErrorCode::not_found);
  EXPECT_THAT(column.error().place, HasSubstr("none.npy"));
}

}  // namespace
}  // namespace funcpipe
