// The size of what a parameter server sums at once.
#pragma once

namespace funcpipe {

inline constexpr int kServerShards = 8;  // of a gradient

}  // namespace funcpipe
