// Checks the memory accesses of one worker (the traits in schedule/operation.h): two operations that touch the same
// place, of which one writes, always run one after the other in the order in which they are listed, within an iteration
// and from one iteration to the next.
#pragma once

#include "base/error.h"
#include "schedule/local_order.h"

namespace funcpipe {

// `order` is that of `program` and has no cycle. Error: failed, which names the operation. The time grows with the
// number of operations and of pairs of transfers that touch the same elements. Thread-safe for different programs.
Result<> check_data(const Program& program, const LocalOrder& order);

}  // namespace funcpipe
