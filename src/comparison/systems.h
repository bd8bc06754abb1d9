// The systems that are compared, and the frontier of plans that the planner of each finds.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "comparison/ground.h"

namespace funcpipe {

enum class System { lambda_ml, lambda_ml_ga, hybrid_ps, hybrid_ps_ga, tpdmp, bayes, published, ours };
inline constexpr std::array kSystems = {System::lambda_ml,    System::lambda_ml_ga, System::hybrid_ps,
                                        System::hybrid_ps_ga, System::tpdmp,        System::bayes,
                                        System::published,    System::ours};
std::string_view name_of(System system);
// Returns whether it is one of the serverless frameworks that the paper compares with, which hold the whole model in
// every function.
bool is_framework(System system);

struct Proposal {
  Plan plan;
  Seconds seconds = 0;  // Of an iteration, predicted by its planner.
  Dollars dollars = 0;  // Of an iteration, by its planner's cost model.
};

inline constexpr int kMergedLayers = 30;  // The number of layers to which the paper merges a model's layers.

// The steps from the paper's planner to ours. With all of them false it is the paper's.
struct PlannerSteps {
  bool free_micro_batch = false;  // The micro-batch may be any power of two up to 32; otherwise it is 4.
  bool real_bill = false;         // Plans are compared by the cloud's bill; otherwise by memory times time.
  bool free_sync = false;         // Three-phase synchronisation is allowed besides pipelined.
  bool accumulation = false;      // Plans of one stage in 1f1b order are allowed besides gpipe.
  bool moved_cuts = false;        // Cuts and sizes are improved on the chain with its original layers.
  bool uniform_sizes = false;     // All stages have the same function size, which is a step back.
  int layers = kMergedLayers;     // The number of layers to which chains are merged.
};
inline constexpr PlannerSteps kPublishedSteps;
inline constexpr PlannerSteps kOurSteps = {
    .free_micro_batch = true, .real_bill = true, .free_sync = true, .accumulation = true, .moved_cuts = true};

// Returns the numbers of replicas that pipelined systems choose from: all up to 32, then some up to 256, as far as the
// batch and the platform allow.
std::vector<int> replica_choices(const Ground& ground, int batch);

// Returns the frontier of a planner with the given steps, fastest first; empty if no plan fits.
Result<std::vector<Proposal>> planned(const Ground& ground, int batch, const PlannerSteps& steps, std::stop_token stop);

// Returns the frontier of `system`, fastest first; empty if no plan fits.
Result<std::vector<Proposal>> proposals(System system, const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
