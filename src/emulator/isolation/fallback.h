// Isolation that needs no privilege. A watcher reads the processes of each sandbox in /proc and kills them if they
// exceed the memory limit. It stops and continues them so that on average they use their vCPU share. A burst of
// allocations can exceed the limit until the next sample, and processes that start a new session escape.
#pragma once

#include <memory>
#include <string>

#include "emulator/isolation/isolation.h"

namespace funcpipe {

// `why` says, for describe(), why nothing better is used.
std::unique_ptr<Isolation> make_fallback_isolation(boost::asio::any_io_executor executor, const std::string& why);

}  // namespace funcpipe
