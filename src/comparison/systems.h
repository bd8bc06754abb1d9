// The systems that are compared, and what each would run: its planner's frontier as plans of one kind.
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
// The serverless frameworks that the paper compares with: whole model in every function.
bool is_framework(System system);

struct Proposal {
  Plan plan;
  Seconds seconds = 0;  // of an iteration, as its planner has it
  Dollars dollars = 0;  // likewise, under its planner's cost model
};

inline constexpr int kMergedLayers = 30;  // as the paper merges them

// What the paper's planner may choose besides cuts, sizes and replicas, and how it counts; the steps from there to ours
// one by one.
struct PlannerSteps {
  bool free_micro_batch = false;  // powers of two; else 4
  bool real_bill = false;         // else memory x time
  bool free_sync = false;         // three-phase too; else pipelined
  bool accumulation = false;      // one stage in 1f1b order too; else gpipe
  bool moved_cuts = false;        // cuts and sizes are improved on the unmerged chain; else as merged to 30 layers
  bool uniform_sizes = false;     // a step back: all stages have one function size
  int layers = kMergedLayers;     // chains are merged to so many
};
inline constexpr PlannerSteps kPublishedSteps;
inline constexpr PlannerSteps kOurSteps = {
    .free_micro_batch = true, .real_bill = true, .free_sync = true, .accumulation = true, .moved_cuts = true};

// Numbers of replicas that every system may choose among: all to 32, then some up to what batch and platform allow.
std::vector<int> replica_choices(const Ground& ground, int batch);

// A frontier of our planner's with some of its steps, fastest first. Empty: nothing fits.
Result<std::vector<Proposal>> planned(const Ground& ground, int batch, const PlannerSteps& steps, std::stop_token stop);

// The frontier of `system`, fastest first. Empty: nothing fits.
Result<std::vector<Proposal>> proposals(System system, const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
