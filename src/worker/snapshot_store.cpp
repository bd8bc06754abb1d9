#include "worker/snapshot_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "protocol/job_keys.h"

namespace funcpipe {
namespace {

constexpr std::size_t kKept = 2;
constexpr int kLooks = 5;

Progress progress_of(const Snapshot& snapshot) {
  return {snapshot.iteration, snapshot.validation_rounds};
}

}  // namespace

SnapshotStore::SnapshotStore(Store& store, std::string prefix, WorkerId worker, std::int64_t incarnation)
    : store_(store), claim_(store, prefix, worker, incarnation), prefix_(std::move(prefix)), worker_(worker) {}

Result<std::optional<Snapshot>> SnapshotStore::newest() {
  FUNCPIPE_TRY_VOID(claim_.take());
  for (int look = 0; look < kLooks; ++look) {
    bool gone = false;
    FUNCPIPE_TRY(snapshot, newest_listed(gone));
    if (snapshot || !gone) return snapshot;
  }
  return fail(ErrorCode::unavailable, "the worker's snapshots go while they are read",
              snapshots_prefix(prefix_, worker_));
}

// `gone`: a life that is being replaced has removed a snapshot since it was listed, so there is a newer one.
Result<std::optional<Snapshot>> SnapshotStore::newest_listed(bool& gone) {
  kept_.clear();
  FUNCPIPE_TRY(listed, store_.list(snapshots_prefix(prefix_, worker_)));
  // Keys are listed in byte order, which is the order of their numbers.
  for (const ListedObject& object : listed)
    if (const auto progress = progress_of_snapshot(object.key)) kept_.push_back({*progress, object.key});
  for (; !kept_.empty(); kept_.pop_back()) {
    const std::string& key = kept_.back().key;
    auto bytes = store_.get_text(key);
    if (bytes && !*bytes) {
      gone = true;
      return std::nullopt;
    }
    // The store's own checksum may be the first to find the damage.
    auto snapshot = bytes ? decode_snapshot(**bytes, key) : Result<Snapshot>(tl::unexpected(bytes.error()));
    if (snapshot && progress_of(*snapshot) == kept_.back().progress) return std::move(*snapshot);
    if (!snapshot && snapshot.error().code != ErrorCode::corrupt) return tl::unexpected(snapshot.error());
    fmt::print(stderr, "funcpipe-worker passes over a damaged snapshot: {}\n",
               snapshot ? key + " is of another iteration" : describe(snapshot.error()));
  }
  return std::nullopt;
}

Result<> SnapshotStore::save(const Snapshot& snapshot) {
  FUNCPIPE_TRY_VOID(claim_.check());
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
