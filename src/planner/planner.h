// The planner's interface. From a profile, a platform and a global batch it finds the Pareto frontier of plans and
// chooses one of them. Thread-safe for different tasks.
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
  std::vector<int> micro_batches;  // Empty means all profiled sizes that are not larger than the global batch.
  std::vector<int> replicas;       // Empty means 1..32, limited by the number of micro-batches and of functions.
  std::vector<SyncAlgorithm> syncs = searched_algorithms();
  Accounting accounting;
  Objective objective;
  int connections = 4;
  int most_layers = 0;             // The layers of longer models are merged to this many; 0 means never.
  Seconds time_limit = kInfinity;  // Time of the search, which then returns what it has found and proven.
};

// What may be chosen in a task, with the defaults filled in. Error of choices_of: invalid_input.
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
  std::vector<Chain> chains;           // One for each micro-batch size.
  std::vector<PlannedPoint> frontier;  // Fastest first.
  std::size_t chosen = 0;              // Index into `frontier`.
  SearchStatistics statistics;
  int merged_layers = 0;  // The search merged the layers to this many; 0 if it did not merge them.
  Proof proof;            // How good the frontier is; for merged layers nothing is proven.
  Seconds seconds = 0;    // Time that the search took.

  const PlannedPoint& chosen_point() const { return frontier[chosen]; }
  const Chain& chain_of(const PlannedPoint& point) const { return chains[point.candidate.chain]; }
};

// Errors: cancelled, within a fraction of a second after a stop; invalid_input if no plan fits (it names the layer that
// lacks memory and the platforms that would hold it), if none was found in time, or if none meets the deadline or
// budget (it names the nearest one that can be met).
Result<Planning> plan_training(const PlanningTask& task, const std::stop_token& stop = {},
                               const ProgressReport& report = {});

// The prediction of a plan that the user has given.
struct Judgement {
  Chain chain;  // The chain of the plan's micro-batch size.
  PlannedPoint point;
};
// Predicts a plan. Error: invalid_input if it is for another model or another global batch, has cuts or function sizes
// that do not exist, or has a stage that does not fit its function.
Result<Judgement> judge(const PlanningTask& task, const Plan& plan);

// Predicts cuts and function sizes. Of all micro-batch sizes, replicas and synchronisations that the task allows it
// takes the combination that the objective prefers. Error: that of judge() for the combination that failed last.
Result<Judgement> judge_cuts(const PlanningTask& task, const std::vector<StagePlan>& stages);

}  // namespace funcpipe
