// Rivals that give every function the whole model: all feasible configurations of each, as a frontier in the search's
// own terms (a plan of one stage). `chains`: one for each micro-batch size; `space`: global batch, replicas,
// accounting.
#pragma once

#include <vector>

#include "catalog/parameter_server.h"
#include "planner/frontier_search.h"

namespace funcpipe {

enum class LocalBatch {
  whole,       // a function computes its share of the global batch at once
  accumulated  // micro-batch after micro-batch, each forward and backward in turn: the activations of one are held
};

// Gradients are summed through the object store by three-phase scatter-reduce (LambdaML; accumulated: LambdaML-GA).
Frontier lambda_ml(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch);

// Every function sends its gradient to `server` and receives the weights, which the server has updated meanwhile; its
// price runs all the time. The server's summing and latency are not charged (HybridPS; accumulated: HybridPS-GA).
// Candidates have no synchronisation algorithm to speak of; period and dollars are the rival's.
Frontier hybrid_ps(const std::vector<Chain>& chains, const SearchSpace& space, LocalBatch batch,
                   const ParameterServer& server);

}  // namespace funcpipe
