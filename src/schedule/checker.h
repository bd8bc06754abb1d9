#pragma once

#include <vector>

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// Proves the programs of all workers of a job sound together, over several unrolled iterations with one operation in
// flight per lane: every operation is on its lane exactly once; no cycle of dependencies, lane order and object
// transfers (so no deadlock between lanes or workers); every object has exactly one producer and is produced before
// it can be consumed; nothing is released before its last consumer is done; every object is released.
// Error: failed, naming the worker, the operation and the cycle or object.
Result<> check_programs(const std::vector<Program>& programs);

}  // namespace funcpipe
