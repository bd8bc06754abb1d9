// Operations, and what they waited for, in words for a person.
#pragma once

#include <string>

#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

std::string in_words(const ObjectName& object);  // "activation of micro-batch 3", "part of weight gradient 1"
std::string in_words(const Op& op);              // "forward of micro-batch 3", "download of the activation of ..."

// Why the operation did not begin sooner: "waits for activation of micro-batch 3 from stage 0 replica 1",
// "waits for a free connection: ...".
std::string reason(const Played& played, const PlayedOp& op);
// Why a lane stood still: that of the operation after the gap, or that nothing held it up.
std::string reason(const Played& played, const Gap& gap);

// What took up the gap, longest first, at most `most` of it: "12.0 ms forward of micro-batch 3 at stage 0 replica 1".
std::vector<std::string> parts(const Played& played, const Gap& gap, std::size_t most);

}  // namespace funcpipe
