// How a gradient is divided for a parameter server.
#pragma once

namespace funcpipe {

inline constexpr int kServerShards = 8;  // Shards of a gradient; the server sums one while others are transferred.

}  // namespace funcpipe
