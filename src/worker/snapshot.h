// What a worker needs to go on in another function: one object, checked by CRC32C. Format: docs/formats/snapshot.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/iteration_report.h"

namespace funcpipe {

struct Snapshot {
  std::int64_t iteration = 0;               // iterations done
  std::int64_t validation_rounds = 0;       // rounds done
  Seconds iteration_seconds = 0;            // the slowest of the last ones; 0: not known. Of the platform, as below
  Seconds validation_seconds = 0;           // of the last round
  std::vector<IterationReport> unreported;  // of iterations no report has carried yet
  std::string stage;                        // Stage::save: graph, parameters, buffers
  std::string optimizer;                    // StageOptimizer::save
};

std::string encode(const Snapshot& snapshot);
Result<Snapshot> decode_snapshot(std::string_view bytes, const std::string& place);  // corrupt

}  // namespace funcpipe
