#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <random>

#include "data/readers.h"
#include "scratch_folder.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kFashion = "/usr/share/datasets/fashion-mnist/";

std::string idx(std::initializer_list<int> shape, std::string_view data, char type = 8) {
  std::string text{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const int extent : shape)
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(extent >> shift & 0xff);
  return text + std::string(data);
}

class Idx : public ScratchFolder {
 protected:
  void refused(const std::string& content, const std::string& message) {
    const auto column = read_idx(file("a-idx", content));
    ASSERT_FALSE(column) << message;
    EXPECT_EQ(column.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(column.error().message, HasSubstr(message));
    EXPECT_THAT(column.error().place, HasSubstr("a-idx"));
  }
};

// A pipe that nobody writes to would be waited for without end.
TEST_F(Idx, APipeIsRefusedWithoutWaiting) {
  const std::string pipe = file("a-idx", "");
  ASSERT_EQ(::unlink(pipe.c_str()), 0);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& column : {read_idx(pipe), read_npy(pipe), read_idx("/dev/zero")}) {
    ASSERT_FALSE(column);
    EXPECT_EQ(column.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(column.error().message, HasSubstr("not a regular file"));
    EXPECT_THAT(column.error().hint, HasSubstr("[data]"));
  }
}

TEST_F(Idx, GivesImagesAChannel) {
  const auto images = read_idx(file("images", idx({2, 1, 3}, "abcdef")));
  ASSERT_TRUE(images);
  EXPECT_EQ(images->rows, 2);
  EXPECT_THAT(images->row.shape, ElementsAre(1, 1, 3));
  EXPECT_EQ(static_cast<char>(images->bytes.get()[5]), 'f');
  const auto labels = read_idx(file("labels", idx({3}, "abc")));
  ASSERT_TRUE(labels);
  EXPECT_TRUE(labels->row.shape.empty());
}

TEST_F(Idx, ReadsGzip) {
  const std::string name = path("images.gz");
  const std::string content = idx({2, 2}, "wxyz");
  gzFile out = gzopen(name.c_str(), "wb");
  ASSERT_EQ(gzwrite(out, content.data(), static_cast<unsigned>(content.size())), static_cast<int>(content.size()));
  gzclose(out);
  const auto column = read_idx(name);
  ASSERT_TRUE(column) << describe(column.error());
  EXPECT_THAT(column->row.shape, ElementsAre(2));
  auto damaged = read_file(name);
  ASSERT_TRUE(damaged);
  (*damaged)[damaged->size() - 6] ^= 0x55;  // in the checksum of the stream
  EXPECT_FALSE(read_idx(file("damaged.gz", *damaged)));
}

TEST_F(Idx, RefusesWithAWayOut) {
  refused("no idx at all", "not an idx file");
  refused(idx({2}, "ab", 0xd), "type 8");
  refused(idx({5}, "abc"), "needs 5 bytes, the file has 3");
  refused(idx({0}, ""), "empty");
  refused(idx({0x7fffffff, 0x7fffffff, 0x7fffffff}, ""), "beyond");
  refused(idx({0x7fffffff, 200}, "abc"), "needs");
  refused(std::string("\0\0\10\3\0\0", 6), "cut off");
  refused("", "empty");
}

TEST_F(Idx, DamagedFilesNeverCrash) {
  const std::string good = idx({2, 2, 2}, "abcdefgh");
  std::mt19937 random(7);  // seed of this fuzz run
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (random() % 2) bad[random() % bad.size()] = static_cast<char>(random());
    const auto column = read_idx(file("f", bad));
    if (column) {
      EXPECT_LE(column->rows * column->row.bytes(), static_cast<Bytes>(bad.size()));
    }
  }
}

TEST_F(Idx, ReadsFashionMnist) {
  if (!std::filesystem::exists(std::string(kFashion) + "t10k-labels-idx1-ubyte.gz"))
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  JobConfig::Data data;
  data.format = "idx";
  data.train_input = std::string(kFashion) + "train-images-idx3-ubyte.gz";
  data.train_target = std::string(kFashion) + "train-labels-idx1-ubyte.gz";
  data.validation_input = std::string(kFashion) + "t10k-images-idx3-ubyte.gz";
  data.validation_target = std::string(kFashion) + "t10k-labels-idx1-ubyte.gz";
  const auto sets = load_datasets(data);
  ASSERT_TRUE(sets) << describe(sets.error());
  EXPECT_EQ(sets->train.input.rows, 60000);
  EXPECT_EQ(sets->validation.input.rows, 10000);
  EXPECT_THAT(sets->train.input.row.shape, ElementsAre(1, 28, 28));
  std::array<int, 10> count{};
  for (std::int64_t i = 0; i < 60000; ++i) {
    const int label = std::to_integer<int>(sets->train.target.bytes.get()[i]);
    ASSERT_LT(label, 10);
    ++count[static_cast<std::size_t>(label)];
  }
  EXPECT_THAT(count, ::testing::Each(6000));
}

}  // namespace
}  // namespace funcpipe
