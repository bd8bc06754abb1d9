// What goes wrong in a simulation, as the user says it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

struct Fault {
  enum class Kind {
    slow_compute,  // computing takes `factor` times as long
    slow_links,    // both links have 1/factor of their rate
    kill           // its function dies `at` seconds after the job's start
  };
  Kind kind = Kind::kill;
  WorkerId worker;
  double factor = 1;
  Seconds at = 0;
};

// "straggler=1.0x2.5,kill=0.1@12.5": a worker is STAGE.REPLICA. straggler slows computing and links, slow-compute and
// slow-links one of them. Errors: invalid_input, `place` being where the text is from.
Result<std::vector<Fault>> parse_faults(const std::string& text, const std::string& place);

}  // namespace funcpipe
