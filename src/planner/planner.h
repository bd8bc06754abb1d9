// The planner as its users see it: a profile, a platform and a batch in; the Pareto frontier of plans out, one of them
// chosen.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "planner/frontier_search.h"
#include "planner/objective.h"
#include "planner/prediction.h"
#include "profile/profile.h"
#include "schedule/memory.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

struct PlanningTask {
  const Profile& profile;
  const Platform& platform;
  TrainingState state;
  int global_batch = 0;
  std::vector<int> micro_batches;  // empty: those profiled that are not larger than the global batch
  std::vector<int> replicas;       // empty: 1..32, as far as there are micro-batches and functions for them
  std::vector<SyncAlgorithm> syncs = searched_algorithms();
  Accounting accounting;
  Objective objective;
  int connections = 4;
  int most_layers = 0;             // longer models are planned with their layers merged to so many; 0: as they are
  Seconds time_limit = kInfinity;  // of the search; what it has found and proven by then is the answer
};

// What may be chosen in it, with the defaults filled in. Errors: invalid_input.
struct Choices {
  std::vector<int> micro_batches;
  SearchSpace space;
};
Result<Choices> choices_of(const PlanningTask& task);

struct PlannedPoint {
  Plan plan;
  Candidate candidate;
  Prediction prediction;
};
Outcome outcome_of(const PlannedPoint& point, const Accounting& accounting);

struct Planning {
  std::vector<Chain> chains;           // one for each micro-batch size
  std::vector<PlannedPoint> frontier;  // fastest first
  std::size_t chosen = 0;
  SearchStatistics statistics;
  int merged_layers = 0;  // the search had the layers merged to so many; 0: as they are
  Proof proof;            // how good the frontier is; of merged layers nothing is proven
  Seconds seconds = 0;    // of the search

  const PlannedPoint& chosen_point() const { return frontier[chosen]; }
  const Chain& chain_of(const PlannedPoint& point) const { return chains[point.candidate.chain]; }
};

// Errors: invalid_input (nothing fits: which layer lacks how much memory on the largest function, and which platform
// would hold it; nothing meets the deadline or budget: the nearest that exists), cancelled.
// A stop is heard within a fraction of a second.
Result<Planning> plan_training(const PlanningTask& task, const std::stop_token& stop = {},
                               const ProgressReport& report = {});

// A plan of the user's own, judged by the same model.
struct Judgement {
  Chain chain;  // of its micro-batch size
  PlannedPoint point;
};
// Errors: invalid_input: another model, another batch, cuts or sizes there are not, a stage that does not fit.
Result<Judgement> judge(const PlanningTask& task, const Plan& plan);

// The same for cuts and sizes alone: `stages` with the batches, replicas and synchronisation the task allows that suit
// its objective best. Errors: as above, of the combination that fails last.
Result<Judgement> judge_cuts(const PlanningTask& task, const std::vector<StagePlan>& stages);

}  // namespace funcpipe
