// Faults that the user wants in a simulation.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

struct Fault {
  enum class Kind {
    slow_compute,  // Computing takes `factor` times as long.
    slow_links,    // Both links have 1/factor of their rate.
    kill           // The worker's function dies `at` seconds after the job's start.
  };
  Kind kind = Kind::kill;
  WorkerId worker;
  double factor = 1;
  Seconds at = 0;
};

// Parses a text such as "straggler=1.0x2.5,kill=0.1@12.5", in which a worker is STAGE.REPLICA. "straggler" slows
// computing and links, "slow-compute" and "slow-links" only one of them. Error: invalid_input at `place`.
Result<std::vector<Fault>> parse_faults(const std::string& text, const std::string& place);

}  // namespace funcpipe
