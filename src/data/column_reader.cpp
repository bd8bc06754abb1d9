#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

#include "base/check.h"
#include "data/blocks.h"
#include "data/dataset.h"
#include "protocol/job_keys.h"
#include "store/stoppable_store.h"

namespace funcpipe {
namespace {

using Block = std::shared_ptr<const std::vector<std::byte>>;  // shared by the cache and by reads under way
constexpr std::size_t kDownloads = 8;                         // downloads at the same time, of one read

}  // namespace

struct ColumnReader::State {
  Store& store;
  const ColumnManifest column;
  const Bytes capacity;

  std::mutex mutex;
  std::condition_variable_any changed;  // notified when a fetch ends
  struct Cached {
    Block block;
    std::list<std::int64_t>::iterator age;
  };
  std::unordered_map<std::int64_t, Cached> cache;
  std::list<std::int64_t> ages;  // the most recently used is first
  Bytes cached_bytes = 0;
  std::set<std::int64_t> fetching;

  Block find(std::int64_t block) {  // requires the mutex
    const auto found = cache.find(block);
    if (found == cache.end()) return nullptr;
    ages.splice(ages.begin(), ages, found->second.age);
    return found->second.block;
  }

  void keep(std::int64_t index, Block block) {  // requires the mutex
    cached_bytes += static_cast<Bytes>(block->size());
    ages.push_front(index);
    cache[index] = {std::move(block), ages.begin()};
    while (cached_bytes > capacity && ages.size() > 1) {
      const auto oldest = cache.find(ages.back());
      cached_bytes -= static_cast<Bytes>(oldest->second.block->size());
      cache.erase(oldest);
      ages.pop_back();
    }
  }

  Result<Block> download(std::int64_t index, const std::stop_token& stop) {
    const std::string key = block_key(column.prefix, index);
    const Bytes expected = rows_in_block(column, index) * column.row.bytes();
    const auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(expected));
    FUNCPIPE_TRY(got, until(store, stop)->get(key, [&](Bytes size) -> Result<MutableBytes> {
      if (size != expected)
        return fail(ErrorCode::corrupt, fmt::format("a data block of {} bytes was expected, it has {}", expected, size),
                    key, "publish the data set again");
      return MutableBytes(*bytes);
    }));
    if (!got) return fail(ErrorCode::not_found, "a block of the data set is gone", key, "publish the data set again");
    return Block(bytes);
  }

  // Returns the block from the cache, from another read's fetch, or from the store.
  Result<Block> obtain(std::int64_t index, std::stop_token stop) {
    std::unique_lock lock(mutex);
    while (true) {
      if (Block block = find(index)) return block;
      if (stop.stop_requested())
        return fail(ErrorCode::cancelled, "reading data was stopped", block_key(column.prefix, index));
      if (!fetching.contains(index)) break;
      changed.wait(lock, stop, [&] { return !fetching.contains(index); });
    }
    fetching.insert(index);
    lock.unlock();
    Result<Block> block = download(index, stop);
    lock.lock();
    fetching.erase(index);
    if (block) keep(index, *block);
    changed.notify_all();
    return block;
  }
};

ColumnReader::ColumnReader(Store& store, ColumnManifest column, Bytes cache)
    : state_(new State{store, std::move(column), cache}) {}
ColumnReader::~ColumnReader() = default;

const ColumnManifest& ColumnReader::manifest() const {
  return state_->column;
}

Result<> ColumnReader::read(const std::vector<std::int64_t>& rows, MutableBytes destination, std::stop_token stop) {
  const ColumnManifest& column = state_->column;
  const auto row_bytes = static_cast<std::size_t>(column.row.bytes());
  FUNCPIPE_CHECK(destination.size() >= rows.size() * row_bytes, "destination {} rows {} of {}", destination.size(),
                 rows.size(), row_bytes);
  std::map<std::int64_t, Block> blocks;  // kept until the read ends, even if the cache drops them
  for (const std::int64_t row : rows) {
    FUNCPIPE_CHECK(row >= 0 && row < column.rows, "row {} rows {}", row, column.rows);
    blocks.emplace(row / column.block_rows, nullptr);
  }
  std::vector<std::pair<const std::int64_t, Block>*> missing;
  {
    const std::lock_guard lock(state_->mutex);
    for (auto& entry : blocks)
      if (!(entry.second = state_->find(entry.first))) missing.push_back(&entry);
  }

  std::mutex mutex;  // guards next and error
  std::size_t next = 0;
  std::optional<Error> error;
  const auto fetch = [&] {
    while (true) {
      std::unique_lock lock(mutex);
      if (error || next == missing.size()) return;
      auto& [index, block] = *missing[next++];
      lock.unlock();
      Result<Block> got = state_->obtain(index, stop);
      lock.lock();
      if (got)
        block = std::move(*got);
      else if (!error)
        error = std::move(got).error();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(kDownloads, missing.size()); ++i) helpers.emplace_back(fetch);
    fetch();
  }
  if (error) return tl::unexpected(std::move(*error));

  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t block = rows[i] / column.block_rows;
    const auto offset = static_cast<std::size_t>(rows[i] - block * column.block_rows) * row_bytes;
    std::memcpy(destination.data() + i * row_bytes, blocks[block]->data() + offset, row_bytes);
  }
  return {};
}

}  // namespace funcpipe
