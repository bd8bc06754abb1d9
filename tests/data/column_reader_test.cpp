#include <gmock/gmock.h>

#include <cstring>
#include <numeric>
#include <random>
#include <thread>

#include "counting_store.h"
#include "data/dataset.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

Column column_of(std::int64_t rows, std::vector<std::int64_t> shape, std::uint32_t salt) {
  Column column{{"int32", std::move(shape)}, rows, nullptr};
  const auto size = static_cast<std::size_t>(rows * column.row.bytes());
  const std::shared_ptr<std::byte> bytes(new std::byte[size], std::default_delete<std::byte[]>());
  std::mt19937 random(salt);
  for (std::size_t i = 0; i < size; ++i) bytes.get()[i] = static_cast<std::byte>(random());
  column.bytes = bytes;
  return column;
}

Dataset dataset_of(std::int64_t rows) {
  return {column_of(rows, {3, 1000}, 1), column_of(rows, {}, 2)};
}

std::vector<std::byte> direct(const Column& column, const std::vector<std::int64_t>& rows) {
  const auto width = static_cast<std::size_t>(column.row.bytes());
  std::vector<std::byte> bytes(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(bytes.data() + i * width, column.bytes.get() + static_cast<std::size_t>(rows[i]) * width, width);
  return bytes;
}

std::vector<std::byte> through(ColumnReader& reader, const std::vector<std::int64_t>& rows) {
  std::vector<std::byte> bytes(rows.size() * static_cast<std::size_t>(reader.manifest().row.bytes()));
  const auto done = reader.read(rows, bytes);
  EXPECT_TRUE(done) << describe(done.error());
  return bytes;
}

TEST(ColumnReader, ReadsWhatWasPublished) {
  const Dataset dataset = dataset_of(1000);
  CountingStore store;
  Bytes last = 0;
  const auto manifest = publish(dataset, store, "job/data", [&](Bytes done, Bytes total) {
    EXPECT_GT(done, last);
    EXPECT_LE(done, total);
    last = done;
  });
  ASSERT_TRUE(manifest) << describe(manifest.error());
  EXPECT_EQ(last, 1000 * (12000 + 4));
  EXPECT_EQ(manifest->input.block_rows, kMiB / 12000);
  EXPECT_EQ(manifest->target.block_rows, 1000);

  ColumnReader inputs(store, manifest->input, 3 * kMiB);
  ColumnReader targets(store, manifest->target, 3 * kMiB);
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::int64_t> rows(1 + random() % 40);
    for (auto& row : rows) row = static_cast<std::int64_t>(random() % 1000);
    EXPECT_EQ(through(inputs, rows), direct(dataset.input, rows));
    EXPECT_EQ(through(targets, rows), direct(dataset.target, rows));
  }
}

TEST(ColumnReader, FetchesEachBlockOnceWhileItFits) {
  const Dataset dataset = dataset_of(500);
  CountingStore store;
  const auto manifest = publish(dataset, store, "d");
  ASSERT_TRUE(manifest);
  ColumnReader reader(store, manifest->input, 100 * kMiB);
  std::vector<std::int64_t> rows(500);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<std::jthread> readers;
  for (int i = 0; i < 6; ++i)
    readers.emplace_back([&] { EXPECT_EQ(through(reader, rows), direct(dataset.input, rows)); });
  readers.clear();
  EXPECT_EQ(store.gets, 6);  // 500 rows of 12000 bytes in blocks of 87
}

TEST(ColumnReader, DropsTheLeastRecentlyUsedBlock) {
  const Dataset dataset = dataset_of(500);
  CountingStore store;
  const auto manifest = publish(dataset, store, "d");
  ASSERT_TRUE(manifest);
  ColumnReader reader(store, manifest->input, 2 * kMiB);  // two blocks
  through(reader, {0});
  through(reader, {100});
  through(reader, {0});
  EXPECT_EQ(store.gets, 2);
  through(reader, {200});  // drops the block of row 100
  through(reader, {0});
  EXPECT_EQ(store.gets, 3);
  through(reader, {100});
  EXPECT_EQ(store.gets, 4);
}

TEST(ColumnReader, ReportsLostAndWrongBlocks) {
  const Dataset dataset = dataset_of(300);
  CountingStore store;
  auto manifest = publish(dataset, store, "d");
  ASSERT_TRUE(manifest);
  const std::string key = manifest->input.prefix + "00000001";
  ASSERT_TRUE(store.put(key, std::span<const ConstBytes>{}, PutMode::overwrite));
  ColumnReader reader(store, manifest->input, 10 * kMiB);
  std::vector<std::byte> bytes(12000);
  auto wrong = reader.read({100}, bytes);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::corrupt);
  EXPECT_EQ(wrong.error().place, key);
  ASSERT_TRUE(store.remove(std::span(&key, 1)));
  auto lost = reader.read({100}, bytes);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::not_found);
  EXPECT_EQ(lost.error().place, key);
  EXPECT_TRUE(reader.read({0}, bytes));
}

TEST(ColumnReader, StopsWhenAsked) {
  CountingStore store;
  auto manifest = publish(dataset_of(100), store, "d");
  ASSERT_TRUE(manifest);
  ColumnReader reader(store, manifest->input, kMiB);
  std::stop_source stop;
  stop.request_stop();
  std::vector<std::byte> bytes(12000);
  const auto read = reader.read({0}, bytes, stop.get_token());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::cancelled);
}

TEST(Publish, ReportsTheStoresError) {
  CountingStore store;
  store.fail_puts = true;
  const auto manifest = publish(dataset_of(300), store, "d");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace funcpipe
