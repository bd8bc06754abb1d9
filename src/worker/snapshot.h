// All that a worker needs to continue in another function, in one object with a CRC-32C. Format:
// docs/formats/snapshot.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "protocol/iteration_report.h"

namespace funcpipe {

struct Snapshot {
  std::int64_t iteration = 0;               // how many iterations are done
  std::int64_t validation_rounds = 0;       // how many rounds are done
  Seconds iteration_seconds = 0;            // platform seconds of the slowest recent iteration; 0: unknown
  Seconds validation_seconds = 0;           // platform seconds of the last round; 0: unknown
  std::vector<IterationReport> unreported;  // iterations that no published report contains
  std::string stage;                        // from Stage::save: graph, parameters, buffers
  std::string optimizer;                    // from StageOptimizer::save
};

// What to upload, in order: `head`, then the stage and the optimiser, which stay the snapshot's. So a worker holds its
// state once more while it saves it, and not twice.
struct EncodedSnapshot {
  std::string head;
  std::array<ConstBytes, 2> rest;

  std::array<ConstBytes, 3> pieces() const { return {as_bytes(head), rest[0], rest[1]}; }
};
// `snapshot` outlives it.
EncodedSnapshot encode(const Snapshot& snapshot);
Result<Snapshot> decode_snapshot(std::string_view bytes,
                                 const std::string& place);  // corrupt; invalid_input: another version

}  // namespace funcpipe
