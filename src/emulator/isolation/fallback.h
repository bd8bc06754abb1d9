// Isolation without any privilege: a watcher samples the processes of each sandbox in /proc, kills them over the memory
// limit, and stops and continues them so that, on average, they use their vCPU share. A burst of allocations can pass
// the limit for the length of a sample, and processes that start a session of their own escape.
#pragma once

#include <memory>
#include <string>

#include "emulator/isolation/isolation.h"

namespace funcpipe {

// `why` says, for describe(), why nothing better is used.
std::unique_ptr<Isolation> make_fallback_isolation(boost::asio::any_io_executor executor, const std::string& why);

}  // namespace funcpipe
