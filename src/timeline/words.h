// Describes operations, and what they waited for, in words for the user.
#pragma once

#include <string>

#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

std::string in_words(const ObjectName& object);  // "activation of micro-batch 3", "part of weight gradient 1"
std::string in_words(const Op& op);              // "forward of micro-batch 3", "download of the activation of ..."

// Says why an operation did not begin earlier: "waits for activation of micro-batch 3 from stage 0 replica 1",
// "waits for a free connection: ...".
std::string reason(const Played& played, const PlayedOp& op);
// Says why a lane was idle: the reason of the operation after the gap, or that nothing held it up.
std::string reason(const Played& played, const Gap& gap);

// Returns the `most` longest parts of a gap, longest first: "12.0 ms forward of micro-batch 3 at stage 0 replica 1".
std::vector<std::string> parts(const Played& played, const Gap& gap, std::size_t most);

}  // namespace funcpipe
