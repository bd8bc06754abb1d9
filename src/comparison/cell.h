// One cell of the comparison: a model on a platform at one batch, every system at its best.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "comparison/play.h"

namespace funcpipe {

enum class Aim { time, cost, between };  // least seconds, least dollars, least seconds x dollars
inline constexpr std::array kAims = {Aim::time, Aim::between, Aim::cost};
std::string_view name_of(Aim aim);

struct SystemResult {
  System system = System::ours;
  std::vector<Proposal> frontier;  // all of it, as planned, fastest first
  std::vector<PlayedPlan> played;  // the shortlist, those that the simulator could finish
  // Index of the best in `played`. Published FuncPipe chooses by its own predictions, all others by what was played.
  std::size_t fastest = 0, cheapest = 0, between = 0;
  // Why plans of the shortlist could not be played: the last reason.
  std::string refused;
  int refusals = 0;
  int borrowed = 0;  // ours: plans in `played` that are published FuncPipe's

  bool feasible() const { return !played.empty(); }
  const PlayedPlan& at(Aim aim) const {
    return played[aim == Aim::time ? fastest : aim == Aim::cost ? cheapest : between];
  }
};

struct Cell {
  std::string model, platform;
  int batch = 0;
  std::vector<SystemResult> systems;  // as kSystems

  const SystemResult& of(System system) const { return systems[static_cast<std::size_t>(system)]; }
  // The best of those `eligible` for `aim`; nullptr: nothing of theirs is feasible.
  const SystemResult* best(Aim aim, const std::function<bool(System)>& eligible) const;
  // Whether for every plan that published FuncPipe chooses ours has one that is neither slower nor dearer.
  bool ours_covers_published() const;
};

// Plans of a frontier that are played: the fastest, the cheapest, the one of least product and some in between.
std::vector<Proposal> shortlist(const std::vector<Proposal>& frontier, std::size_t most);

// Plays `shortlist` and chooses. `by_prediction`: the planner's own figures choose.
Result<SystemResult> played_system(System system, const Ground& ground, int batch, std::vector<Proposal> frontier,
                                   bool by_prediction, std::stop_token stop);

// Errors: cancelled; invalid_input, if the profile does not suit the platform.
Result<Cell> compare(const Ground& ground, int batch, std::stop_token stop);

}  // namespace funcpipe
