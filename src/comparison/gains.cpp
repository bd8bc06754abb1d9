#include "comparison/gains.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {
namespace {

constexpr double kRounding = 1 + 1e-9;

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

Rest rest(const Gain& gain) {
  const PlayedPlan& rival = gain.rival->at(Aim::between);
  if (rival.plan.replicas == 1) return Rest::nothing;
  return rival.computing > kMostlyComputing * rival.seconds ? Rest::little : Rest::gradients;
}

std::string reason(const Gain& gain) {
  const PlayedPlan& rival = gain.rival->at(Aim::between);
  const std::string size = in_words(rival.plan.stages.front().size());
  const std::string computing = fmt::format("{} x {} compute {:.0f}% of the time", rival.plan.replicas, size,
                                            100 * rival.computing / rival.seconds);
  switch (rest(gain)) {
    case Rest::nothing:
      return fmt::format("one function of {} holds the whole model: nothing to synchronise, nothing cheaper", size);
    case Rest::little:
      return computing + ": a pipeline can only save of the rest";
    case Rest::gradients:
      return computing + ", the rest is gradients on the network";
  }
  return "";
}

}  // namespace funcpipe
