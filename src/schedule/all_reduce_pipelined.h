// FuncPipe's pipelined scatter-reduce: the uplink carries parts while the downlink brings others' parts.
//
// Worker i of n, shards of s/n bytes:
//   upload lane:   part of shard i+1, i+2, ..., i+n-1 (mod n), then the merged shard i
//   download lane: part of shard i from worker i-1, i-2, ..., i+1 (the order in which they are uploaded), then the
//                  merged shards of i-1, i-2, ..., i+1
//   compute lane:  shard i = ((own + part of i-1) + part of i-2) + ... + part of i+1
// Uplink and downlink each carry (n-1) s/n + s/n = s and (n-1) s/n + (n-1) s/n = 2 (1 - 1/n) s bytes. With bandwidth w
// each way and t seconds per request, one request at a time: 2 s/w + (2+n) t. Several at a time hide latency.
// Order of sums: a function of the shard and n alone.
#pragma once

#include "schedule/all_reduce.h"

namespace funcpipe {

void append_all_reduce_pipelined(ProgramBuilder& builder, const AllReduceOptions& options);

}  // namespace funcpipe
