// What the last stage's replicas publish every metrics.log_freq iterations (report_key, protocol/job_keys.h): one entry
// per iteration since the last.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct IterationReport {
  std::int64_t iteration = 0;
  double loss = 0;           // Sum of the loss over the replica's `samples`.
  std::int64_t correct = 0;  // Predictions equal to the target; only with the loss cross-entropy.
  std::int64_t predictions = 0;
  std::int64_t samples = 0;
  Seconds seconds = 0;  // Wall time of the iteration on that worker.
};
nlohmann::json to_json(const std::vector<IterationReport>& reports);
Result<std::vector<IterationReport>> iteration_reports_from_json(const nlohmann::json& json);

}  // namespace funcpipe
