// What a plan will take: seconds, bytes and dollars, stage by stage, and what bounds it. The same arithmetic as the
// search (planner/stage_cost.h), told apart into its parts.
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
  StageCost cost;                          // seconds of its lanes; dollars of all its replicas
  Bytes memory = 0;                        // peak of a worker
  Bytes given = 0;                         // its function's
  Seconds busy = 0;                        // compute lane, of an iteration, replica with the largest share
  Seconds uploading = 0, downloading = 0;  // lanes, of an iteration
  Bytes synchronised = 0;                  // gradient bytes summed over the replicas
};

struct Prediction {
  Seconds iteration = 0;          // in steady state
  Seconds first = 0;              // from the start of the first iteration's first forward to its last update
  Seconds start_up = 0;           // from the invocation to the first forward: the slowest worker
  Seconds training = 0;           // all iterations, start-up and restarts included
  Dollars dollars = 0;            // of the job
  Dollars iteration_dollars = 0;  // of the job, spread over its iterations: what the frontier compares
  Usage usage;                    // of the job, all workers together
  Dollars storage = 0;            // of the job
  std::vector<StagePrediction> stages;
};

// An iteration as it was played, of all workers together, where a formula's is not good enough.
struct PlayedIteration {
  Seconds seconds = 0;
  double puts = 0, gets = 0;  // without reports
};

// `candidate` as `chain` (its micro-batch size's) has it; with `played`, of a job whose iterations are like that.
Prediction predict(const Chain& chain, const SpanTable& spans, const Accounting& accounting, const Candidate& candidate,
                   const PlayedIteration* played = nullptr);

// A plan of the user's in the planner's terms. Errors: invalid_input (function sizes the chain lacks, cuts outside it,
// a micro-batch size other than the chain's).
Result<Candidate> candidate_of(const Chain& chain, const Plan& plan);
Plan plan_of(const Candidate& candidate, const Chain& chain, const ModelDescription& model, int global_batch);

// The lane or phase that a change of the plan would have to shorten first, in words: "stage 2's uplink: 1.3 s of each
// iteration's 1.9 s"; and each stage whose memory is full to 90% or more.
std::vector<std::string> explain(const Prediction& prediction, const Chain& chain, const Candidate& candidate);

nlohmann::json to_json(const Prediction& prediction);

}  // namespace funcpipe
