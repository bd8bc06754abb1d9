#include "worker/snapshot_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "protocol/job_keys.h"

namespace funcpipe {
namespace {

constexpr std::size_t kKept = 2;

Progress progress_of(const Snapshot& snapshot) {
  return {snapshot.iteration, snapshot.validation_rounds};
}

}  // namespace

SnapshotStore::SnapshotStore(Store& store, std::string prefix, WorkerId worker)
    : store_(store), prefix_(std::move(prefix)), worker_(worker) {}

Result<std::optional<Snapshot>> SnapshotStore::newest() {
  kept_.clear();
  FUNCPIPE_TRY(listed, store_.list(snapshots_prefix(prefix_, worker_)));
  // Keys are listed in byte order, which is the order of their numbers.
  for (const ListedObject& object : listed)
    if (const auto progress = progress_of_snapshot(object.key)) kept_.push_back({*progress, object.key});
  while (!kept_.empty()) {
    const std::string key = kept_.back().key;
    FUNCPIPE_TRY(bytes, store_.get_text(key));
    auto snapshot = bytes ? decode_snapshot(*bytes, key) : fail(ErrorCode::not_found, "it is gone", key);
    if (snapshot && progress_of(*snapshot) == kept_.back().progress) return std::move(*snapshot);
    fmt::print(stderr, "funcpipe-worker passes over a damaged snapshot: {}\n",
               snapshot ? key + " is of another iteration" : describe(snapshot.error()));
    static_cast<void>(store_.remove(std::span(&key, 1)));
    kept_.pop_back();
  }
  return std::nullopt;
}

Result<> SnapshotStore::save(const Snapshot& snapshot) {
  const Progress progress = progress_of(snapshot);
  std::string key = snapshot_key(prefix_, progress.iteration, progress.rounds, worker_);
  const EncodedSnapshot encoded = encode(snapshot);
  FUNCPIPE_TRY_VOID(store_.put(key, encoded.pieces()));
  std::erase_if(kept_, [&](const Kept& kept) { return kept.key == key; });
  kept_.push_back({progress, std::move(key)});
  if (kept_.size() <= kKept) return {};
  std::vector<std::string> old;
  for (std::size_t i = 0; i + kKept < kept_.size(); ++i) old.push_back(kept_[i].key);
  if (store_.remove(old)) kept_.erase(kept_.begin(), kept_.end() - kKept);
  return {};
}

Progress SnapshotStore::oldest() const {
  return kept_.size() < kKept ? Progress{} : kept_[kept_.size() - kKept].progress;
}

}  // namespace funcpipe
