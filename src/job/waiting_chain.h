// Who is ill: of workers that wait for each other, the one that waits for nobody.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "store/store.h"

namespace funcpipe {

// Follows what waiting workers left at waiting_key, from one that gave up: that worker, whom it waited for, whom that
// one waits for, and so on. The last one waits for nobody, unless it is there twice. Empty: `from` did not give up
// waiting.
std::vector<WorkerId> waiting_chain(Store& store, const std::string& prefix, WorkerId from);

// The error of the worker that gave up, told as what it is: that the last one of the chain does not come.
Error tell_chain(Error error, const std::vector<WorkerId>& chain);

}  // namespace funcpipe
