#include "worker/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "protocol/job_keys.h"

namespace funcpipe {
namespace {

constexpr std::size_t kRemovedTogether = 1000;  // keys of one request, as S3 takes them

Result<std::optional<WorkerLedger>> read_ledger(Store& store, const std::string& prefix, WorkerId worker) {
  const std::string key = ledger_key(prefix, worker);
  FUNCPIPE_TRY(text, store.get_text(key));
  if (!text) return std::nullopt;
  FUNCPIPE_TRY(json, parse_json(*text, key));
  FUNCPIPE_TRY(ledger, worker_ledger_from_json(json, key));
  return ledger;
}

}  // namespace

Collector::Share Collector::share_of(const Program& program) {
  Share share;
  for (const Op& op : program.ops)
    if (is_producer(op.kind)) share.published[op.object] = op.readers;
  for (const Op& op : program.ops) {
    for (const ObjectName& name : op.released) {
      share.removed.push_back(name);
      const auto published = share.published.find(name);
      if (published != share.published.end()) share.readers.insert(published->second.begin(), published->second.end());
    }
  }
  for (const auto& [name, readers] : share.published) share.readers.insert(readers.begin(), readers.end());
  share.readers.erase(program.worker);
  return share;
}

Collector::Collector(Store& store, std::string prefix, const Programs& programs)
    : store_(store),
      prefix_(std::move(prefix)),
      worker_(programs.training.worker),
      training_(share_of(programs.training)),
      validation_(programs.evaluation ? share_of(*programs.evaluation) : Share{}) {}

Result<> Collector::resume(Progress from) {
  FUNCPIPE_TRY(known, read_ledger(store_, prefix_, worker_));
  if (known) own_ = *known;
  if (from < own_.saved)
    return fail(
        ErrorCode::corrupt,
        fmt::format("its newest whole snapshot is of iteration {}, and what it received before iteration {} is gone",
                    from.iteration, own_.saved.iteration),
        to_string(worker_), "train again: two snapshots in a row are damaged");
  FUNCPIPE_TRY_VOID(read_readers());
  at_begin_ = readers_;
  return {};
}

Result<> Collector::read_readers() {
  std::set<WorkerId> all = training_.readers;
  all.insert(validation_.readers.begin(), validation_.readers.end());
  for (const WorkerId reader : all) {
    FUNCPIPE_TRY(ledger, read_ledger(store_, prefix_, reader));
    if (!ledger) continue;
    // A ledger that a late life has written may be behind what was known before.
    Progress& known = readers_[reader];
    known.iteration = std::max(known.iteration, ledger->saved.iteration);
    known.rounds = std::max(known.rounds, ledger->saved.rounds);
  }
  return {};
}

std::int64_t Collector::least(const Share& share, std::int64_t own, std::int64_t Progress::*member) const {
  std::int64_t least = own;
  for (const WorkerId reader : share.readers) {
    const auto known = readers_.find(reader);
    least = std::min(least, known == readers_.end() ? 0 : known->second.*member);
  }
  return least;
}

Result<> Collector::saved(Progress oldest) {
  own_.saved = std::max(own_.saved, oldest);
  FUNCPIPE_TRY_VOID(store_.put(ledger_key(prefix_, worker_), to_json(own_).dump()));
  FUNCPIPE_TRY_VOID(read_readers());
  const std::int64_t iteration = least(training_, own_.saved.iteration, &Progress::iteration);
  const std::int64_t round = least(validation_, own_.saved.rounds, &Progress::rounds);
  FUNCPIPE_TRY(trained, remove(training_, prefix_, own_.collected.iteration, iteration));
  own_.collected.iteration = trained;
  FUNCPIPE_TRY(validated, remove(validation_, validation_prefix(prefix_), own_.collected.rounds, round));
  own_.collected.rounds = validated;
  return {};
}

// Returns how far it came.
Result<std::int64_t> Collector::remove(const Share& share, const std::string& prefix, std::int64_t first,
                                       std::int64_t end) {
  std::vector<std::string> keys;
  std::int64_t removed = first;
  for (std::int64_t iteration = first; iteration < end; ++iteration) {
    for (const ObjectName& name : share.removed) keys.push_back(object_key(prefix, iteration, name));
    if (keys.size() < kRemovedTogether && iteration + 1 < end) continue;
    if (!keys.empty() && !store_.remove(keys)) return removed;
    keys.clear();
    removed = iteration + 1;
  }
  return removed;
}

bool Collector::is_collected(std::int64_t iteration, const ObjectName& name, bool round) const {
  if (at_begin_.empty()) return false;
  const Share& share = round ? validation_ : training_;
  const auto published = share.published.find(name);
  if (published == share.published.end()) return false;
  return std::ranges::all_of(published->second, [&](const WorkerId reader) {
    const auto known = at_begin_.find(reader);
    return known != at_begin_.end() && iteration < (round ? known->second.rounds : known->second.iteration);
  });
}

}  // namespace funcpipe
