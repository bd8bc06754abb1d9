// HybridPS's synchronisation (the Cirrus design): push, then pull. n functions hold the whole model; a machine beside
// them sums their gradients.
//
// Function i: its gradient goes up in shards; once all have left it asks for the summed ones, which overwrite its own.
// Server: takes a shard's parts from functions 0, 1, ..., n-1, sums them in that order, publishes the sum.
// s bytes of gradient, w bytes/s each way per function, W per way at the server: 2 max(s/w, n s/W), and latencies. The
// shards are there so that the server sums one while others are on their way; pulls do not overlap with pushes, as in
// the design that stands here to be compared with. Each function updates its own weights with the sum: as many bytes as
// the weights a Cirrus server would send.
#pragma once

#include "schedule/all_reduce.h"

namespace funcpipe {

inline constexpr int kServerShards = 8;

// The function's side.
void append_push_and_pull(ProgramBuilder& builder, const AllReduceOptions& options);

// The server's: one iteration, without an update.
Program parameter_server_program(const Plan& plan, const StageShape& shape);

}  // namespace funcpipe
