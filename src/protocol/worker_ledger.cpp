#include "protocol/worker_ledger.h"

#include <nlohmann/json.hpp>

#include "protocol/json_fields.h"

namespace funcpipe {

nlohmann::json to_json(const WorkerLedger& ledger) {
  return {{"version", WorkerLedger::kVersion},
          {"saved_iteration", ledger.saved.iteration},
          {"saved_rounds", ledger.saved.rounds},
          {"collected_iteration", ledger.collected.iteration},
          {"collected_rounds", ledger.collected.rounds}};
}

Result<WorkerLedger> worker_ledger_from_json(const nlohmann::json& json, const std::string& place) {
  WorkerLedger ledger;
  Fields fields(json, place);
  fields.version(WorkerLedger::kVersion, "run client and workers of one release of funcpipe")
      .read("saved_iteration", ledger.saved.iteration)
      .read("saved_rounds", ledger.saved.rounds)
      .read("collected_iteration", ledger.collected.iteration)
      .read("collected_rounds", ledger.collected.rounds);
  FUNCPIPE_TRY_VOID(fields.done());
  return ledger;
}

}  // namespace funcpipe
