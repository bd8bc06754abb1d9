// LambdaML's scatter-reduce through storage (Jiang et al., SIGMOD 2021): three phases, one after another per worker.
//
// Worker i of n, shards of s/n bytes:
//   1. upload its part of every other shard:            (n-1) s/n bytes up
//   2. download the n-1 others' parts of shard i, add:  (n-1) s/n bytes down, own share first, then ascending worker
//   3. upload the merged shard i, download the others:  s/n bytes up, then (n-1) s/n bytes down
// With bandwidth w each way and t seconds per request, parallel requests within a phase: 3 s/w - 2 s/(n w) + 4 t.
#pragma once

#include "schedule/all_reduce.h"

namespace funcpipe {

void append_all_reduce_three_phase(ProgramBuilder& builder, const AllReduceOptions& options);

}  // namespace funcpipe
