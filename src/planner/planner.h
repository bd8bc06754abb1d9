// The planner as its users see it: a profile, a platform and a batch in; every plan worth having out, one of them
// chosen.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "planner/optimizer.h"
#include "planner/prediction.h"
#include "profile/profile.h"

namespace funcpipe {

struct Objective {
  enum class Kind {
    time,      // the fastest
    cost,      // the cheapest
    weighted,  // least cost_weight * dollars + time_weight * seconds, of an iteration
    deadline,  // the cheapest whose training takes at most `limit` seconds
    budget     // the fastest whose job costs at most `limit` dollars
  };
  Kind kind = Kind::weighted;
  // The default weights the fastest plan's seconds and the cheapest plan's dollars alike (both 0).
  double cost_weight = 0, time_weight = 0;
  double limit = 0;
};
// "time", "cost", "ALPHA1,ALPHA2", "deadline=SECONDS", "budget=DOLLARS"; "balanced" is the default.
Result<Objective> parse_objective(const std::string& text);

struct PlanningTask {
  const Profile& profile;
  const Platform& platform;
  TrainingState state;
  int global_batch = 0;
  std::vector<int> micro_batches;  // empty: those profiled that are not larger than the global batch
  std::vector<int> replicas;       // empty: 1..32, as far as there are micro-batches and functions for them
  std::vector<SyncAlgorithm> syncs = {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase};
  Accounting accounting;
  Objective objective;
  int connections = 4;
};

struct PlannedPoint {
  Plan plan;
  Candidate candidate;
  Prediction prediction;
};

struct Planning {
  std::vector<Chain> chains;           // one for each micro-batch size
  std::vector<PlannedPoint> frontier;  // fastest first
  std::size_t chosen = 0;
  SearchStatistics statistics;
  Seconds seconds = 0;  // of the search
};

// Errors: invalid_input (nothing fits: which layer lacks how much memory on the largest function, and which platform
// would hold it; nothing meets the deadline or budget: the nearest that exists), cancelled.
Result<Planning> plan_training(const PlanningTask& task, std::stop_token stop = {});

// A plan of the user's own, judged by the same model: for cuts and sizes given, with the rest as they are in `plan`.
Result<PlannedPoint> judge(const PlanningTask& task, const Plan& plan);

}  // namespace funcpipe
