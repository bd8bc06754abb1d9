// Finds, among workers that wait for each other, the one that waits for nobody and is the cause.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "store/store.h"

namespace funcpipe {

// Follows what waiting workers wrote at waiting_key. It starts with one that gave up waiting, then comes the worker it
// waited for, then the one that this worker waits for, and so on. The last one waits for nobody, unless it occurs
// twice. Empty if `from` did not give up waiting.
std::vector<WorkerId> waiting_chain(Store& store, const std::string& prefix, WorkerId from);

// Rewrites the error of the worker that gave up waiting: it now says that the last one of the chain does not go on.
Error tell_chain(Error error, const std::vector<WorkerId>& chain);

}  // namespace funcpipe
