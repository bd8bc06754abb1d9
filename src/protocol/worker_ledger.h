// What a worker tells the others of its snapshots, at ledger_key (protocol/job_keys.h). Whoever published an object
// keeps it until every reader's ledger is past its iteration, so a reader that is lost can be replayed. Format:
// docs/formats/ledger.md.
#pragma once

#include <compare>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"

namespace funcpipe {

// How far a worker has come: iterations and rounds of validation that are done.
struct Progress {
  std::int64_t iteration = 0;
  std::int64_t rounds = 0;
  auto operator<=>(const Progress&) const = default;
};

struct WorkerLedger {
  static constexpr int kVersion = 1;
  // The oldest snapshot that the worker may begin from again: it never asks for objects of earlier iterations or
  // rounds.
  Progress saved;
  // Objects that the worker has to remove are gone up to here.
  Progress collected;
};
nlohmann::json to_json(const WorkerLedger& ledger);
// Errors: corrupt: no ledger, or one of another version.
Result<WorkerLedger> worker_ledger_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
