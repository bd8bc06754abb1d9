// Predicts a plan's seconds, bytes and dollars, stage by stage, and what limits its speed. It uses the same arithmetic
// as the search (planner/stage_cost.h) and keeps the parts of the sums.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/bill.h"
#include "planner/chain.h"
#include "planner/configuration.h"
#include "planner/frontier.h"
#include "planner/stage_cost.h"

namespace funcpipe {

struct StagePrediction {
  StageCost cost;                          // Times of its lanes, and the cost of all its replicas.
  Bytes memory = 0;                        // Peak of a worker.
  Bytes given = 0;                         // Memory of its function.
  Seconds busy = 0;                        // Compute lane in an iteration, on the replica with the largest share.
  Seconds uploading = 0, downloading = 0;  // Transfer lanes in an iteration, on that replica.
  Bytes synchronised = 0;                  // Size of the gradient that is summed over the replicas.
};

struct Prediction {
  Seconds iteration = 0;          // In steady state.
  Seconds start_up = 0;           // From the invocation to the first forward of the slowest worker.
  Seconds training = 0;           // All iterations, with start-up and restarts.
  Dollars dollars = 0;            // Of the whole job.
  Dollars iteration_dollars = 0;  // Of an iteration, with its part of start-up and end; the frontier compares it.
  Usage usage;                    // Of the whole job, all workers together.
  Dollars storage = 0;            // Of the whole job.
  std::vector<StagePrediction> stages;
};

// An iteration of all workers together as it was simulated, which is more exact than the formulas.
struct PlayedIteration {
  Seconds seconds = 0;
  double puts = 0, gets = 0;  // Without reports.
};

// Predicts `candidate`. `chain` and `spans` are those of its micro-batch size. If `played` is given, the job's
// iterations take that time and those requests.
Prediction predict(const Chain& chain, const SpanTable& spans, const Accounting& accounting, const Candidate& candidate,
                   const PlayedIteration* played = nullptr);

// Converts a plan to a candidate. Error: invalid_input if it has function sizes that the chain lacks, wrong cuts,
// another micro-batch size than the chain, 1f1b order with several stages, or a synchronisation that is not predicted.
Result<Candidate> candidate_of(const Chain& chain, const Plan& plan);
Plan plan_of(const Candidate& candidate, const Chain& chain, const ModelDescription& model, int global_batch);

// Says in sentences what an iteration's time consists of, with the slowest lanes or the network that limits it, and
// which stages use 90% or more of their memory.
std::vector<std::string> explain(const Prediction& prediction, const Chain& chain, const Candidate& candidate);

nlohmann::json to_json(const Prediction& prediction);

}  // namespace funcpipe
