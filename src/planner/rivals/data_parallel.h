// Rivals of FuncPipe that hold the whole model on every function. Each function here tries all feasible configurations
// of a rival and returns their frontier, as plans of one stage. `chains` has one chain for each micro-batch size. Of
// `space` only the global batch, the replicas and the accounting are used.
#pragma once

#include <vector>

#include "catalog/parameter_server.h"
#include "planner/frontier_search.h"

namespace funcpipe {

enum class LocalBatch {
  whole,       // A function computes its share of the global batch at once, as one micro-batch.
  accumulated  // It computes forward and backward of one micro-batch after another and keeps activations of one.
};

// LambdaML (accumulated: LambdaML-GA): gradients are summed through the object store by three-phase scatter-reduce.
Frontier lambda_ml(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch);

// HybridPS (accumulated: HybridPS-GA): every function sends its gradient to `server` and receives the updated weights.
// The server is paid for all the time; its summing and its latency take no time here. Period and dollars of the
// candidates are the rival's; the synchronisation algorithm in their configuration means nothing.
Frontier hybrid_ps(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch,
                   const ParameterServer& server);

}  // namespace funcpipe
