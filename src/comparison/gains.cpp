#include "comparison/gains.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {
namespace {

constexpr double kRounding = 1 + 1e-9;
constexpr double kMostlyComputing = 0.7;

}  // namespace

Band band_of(double value, const double (&bounds)[2]) {
  return value < bounds[0] ? Band::below : value > bounds[1] ? Band::above : Band::within;
}

std::string_view name_of(Band band) {
  return band == Band::below ? "below" : band == Band::above ? "above" : "within";
}

std::optional<Gain> gain(const Cell& cell, System system, const std::function<bool(System)>& rivals, Aim against) {
  const SystemResult& own = cell.of(system);
  Gain gain{.rival = cell.best(against, rivals)};
  if (!gain.rival || !own.feasible()) return std::nullopt;
  const PlayedPlan &theirs = gain.rival->at(against), &ours = own.at(Aim::between);
  gain.speedup = theirs.seconds / ours.seconds;
  gain.saving = 1 - ours.dollars / theirs.dollars;
  for (const PlayedPlan& one : own.played) {
    if (one.dollars <= theirs.dollars * kRounding)
      gain.faster_for_no_more = std::max(gain.faster_for_no_more, theirs.seconds / one.seconds);
    if (one.seconds <= theirs.seconds * kRounding)
      gain.cheaper_in_no_more = std::max(gain.cheaper_in_no_more, 1 - one.dollars / theirs.dollars);
  }
  gain.fastest = cell.best(Aim::time, rivals)->at(Aim::time).seconds / own.at(Aim::time).seconds;
  gain.cheapest = 1 - own.at(Aim::cost).dollars / cell.best(Aim::cost, rivals)->at(Aim::cost).dollars;
  return gain;
}

std::string reason(const Gain& gain) {
  const PlayedPlan& rival = gain.rival->at(Aim::between);
  const double computing = rival.computing / rival.seconds;
  const std::string shape = fmt::format("{} x {}", rival.plan.replicas, in_words(rival.plan.stages.front().size()));
  if (rival.plan.replicas == 1)
    return fmt::format("one function of {} holds the whole model: nothing to synchronise, nothing cheaper",
                       in_words(rival.plan.stages.front().size()));
  if (computing > kMostlyComputing)
    return fmt::format("{} compute {:.0f}% of the time: a pipeline can only save of the rest", shape, 100 * computing);
  return fmt::format("{} compute {:.0f}% of the time, the rest is gradients on the network", shape, 100 * computing);
}

}  // namespace funcpipe
