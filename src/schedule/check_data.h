// Of one worker: what its operations touch (schedule/operation.h) they touch in the order in which they are listed, one
// after another where one of them writes, within an iteration and from one to the next.
#pragma once

#include "base/error.h"
#include "schedule/local_order.h"

namespace funcpipe {

// `order`: the program's, without cycles. Error: failed, naming the operation. Time grows with the operations, and with
// pairs of transfers that touch the same elements.
Result<> check_data(const Program& program, const LocalOrder& order);

}  // namespace funcpipe
