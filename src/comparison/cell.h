// One cell of the comparison: a model on a platform at one global batch, with the best plans of every system.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "comparison/play.h"

namespace funcpipe {

// What a plan is chosen for: least seconds, least dollars or least seconds x dollars of an iteration.
enum class Aim { time, cost, between };
inline constexpr std::array kAims = {Aim::time, Aim::between, Aim::cost};
std::string_view name_of(Aim aim);

struct SystemResult {
  System system = System::ours;
  std::vector<Proposal> frontier;  // The whole frontier by its planner, fastest first.
  std::vector<PlayedPlan> played;  // The plans of the shortlist whose simulated jobs did not fail.
  // Indices in `played` of the best plans. FuncPipe as published chooses by its own predictions, all others by
  // simulated figures.
  std::size_t fastest = 0, cheapest = 0, between = 0;
  std::string refused;  // Why the last of the plans in `refusals` failed.
  int refusals = 0;     // Number of plans of the shortlist whose jobs failed.
  int borrowed = 0;     // For System::ours: number of plans in `played` taken from FuncPipe as published.

  bool feasible() const { return !played.empty(); }
  const PlayedPlan& at(Aim aim) const {
    return played[aim == Aim::time ? fastest : aim == Aim::cost ? cheapest : between];
  }
};

struct Cell {
  std::string model, platform;
  int batch = 0;
  std::vector<SystemResult> systems;  // In the order of kSystems.

  const SystemResult& of(System system) const { return systems[static_cast<std::size_t>(system)]; }
  // Returns the `eligible` system that is best for `aim`; nullptr if none has a feasible plan.
  const SystemResult* best(Aim aim, const std::function<bool(System)>& eligible) const;
  // Returns whether System::ours has, for every plan that FuncPipe as published chooses, one that is neither slower nor
  // dearer.
  bool ours_covers_published() const;
};

// Returns at most `most` plans of a frontier to be simulated: the fastest, the cheapest, the one of least seconds x
// dollars and some in between.
std::vector<Proposal> shortlist(const std::vector<Proposal>& frontier, std::size_t most);

// Simulates the shortlist of `frontier` and chooses the best plans: by the planner's own figures if `by_prediction`,
// otherwise by the simulated ones. Error: cancelled.
Result<SystemResult> played_system(System system, const Ground& ground, int batch, std::vector<Proposal> frontier,
                                   bool by_prediction, std::stop_token stop);

// Computes a cell. Errors: cancelled; invalid_input if the profile and the platform do not fit together.
Result<Cell> compare(const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
