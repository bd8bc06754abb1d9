#include "planner/bounds.h"

#include <algorithm>

namespace funcpipe {
namespace {

// More points bound tighter and cost more to look at.
constexpr std::size_t kPoints = 24;

// What a placement takes at a rate: `seconds` is its sum or its pace.
struct Step {
  Seconds seconds;
  double rate;
};

// Leaves at most kPoints steps, each below or at some of those it stands for; ascending seconds, descending rate.
std::vector<Step> staircase(std::vector<Step>& all) {
  std::sort(all.begin(), all.end(), [](const Step& a, const Step& b) {
    return a.seconds < b.seconds || (a.seconds == b.seconds && a.rate < b.rate);
  });
  std::vector<Step> steps;
  for (const Step& step : all)
    if (steps.empty() || step.rate < steps.back().rate) steps.push_back(step);
  if (steps.size() <= kPoints) return steps;
  // Runs of neighbours become one step: the seconds of the first, the rate of the last.
  std::vector<Step> fewer;
  for (std::size_t run = 0; run < kPoints; ++run) {
    const std::size_t from = run * steps.size() / kPoints, to = (run + 1) * steps.size() / kPoints;
    fewer.push_back({steps[from].seconds, steps[to - 1].rate});
  }
  return fewer;
}

Seconds passage(const StageCost& stage) {
  return stage.before + stage.forward + stage.backward + stage.after;
}

Seconds forward_pace(const StageCost& stage) {
  return std::max({stage.forward, stage.forward_before, stage.forward_after});
}

Seconds backward_pace(const StageCost& stage) {
  return std::max({stage.backward, stage.backward_before, stage.backward_after});
}

// Both staircases as one list: at a rate, the least sum and the least pace that any placement no dearer has.
std::vector<PlacementBound> combine(const std::vector<Step>& sums, const std::vector<Step>& paces) {
  std::vector<PlacementBound> bounds;
  auto sum = sums.rbegin(), pace = paces.rbegin();  // ascending rate
  while (sum != sums.rend() || pace != paces.rend()) {
    PlacementBound bound = bounds.empty() ? PlacementBound{0, kInfinity, kInfinity} : bounds.back();
    const double next_sum = sum != sums.rend() ? sum->rate : kInfinity;
    const double next_pace = pace != paces.rend() ? pace->rate : kInfinity;
    bound.rate = std::min(next_sum, next_pace);
    if (next_sum == bound.rate) bound.sum = (sum++)->seconds;
    if (next_pace == bound.rate) bound.pace = (pace++)->seconds;
    bounds.push_back(bound);
  }
  // Below the rate where both are known nothing can be placed.
  std::erase_if(bounds, [](const PlacementBound& bound) { return bound.sum == kInfinity || bound.pace == kInfinity; });
  return bounds;
}

}  // namespace

Bounds::Bounds(int layers, const std::vector<StageChoice>& choices, double more) : more_(more) {
  std::vector<std::vector<const StageChoice*>> ending(layers + 1), starting(layers + 1);
  for (const StageChoice& choice : choices) {
    ending[choice.end].push_back(&choice);
    starting[choice.first].push_back(&choice);
  }
  std::vector<std::vector<Step>> sums(layers + 1), paces(layers + 1);
  std::vector<Step> all_sums, all_paces;
  // Places the layers up to `at` by one of `last`, each after what its `rest` already has.
  const auto place = [&](Side& side, int at, const std::vector<const StageChoice*>& last, int StageChoice::*rest) {
    all_sums.clear();
    all_paces.clear();
    side.fixed[at] = kInfinity;
    for (const StageChoice* choice : last) {
      const int other = choice->*rest;
      const Seconds pace = forward_pace(choice->cost) + backward_pace(choice->cost);
      for (const Step& step : sums[other])
        all_sums.push_back({step.seconds + passage(choice->cost), step.rate + choice->cost.rate});
      for (const Step& step : paces[other])
        all_paces.push_back({std::max(step.seconds, pace), step.rate + choice->cost.rate});
      side.fixed[at] = std::min(side.fixed[at], side.fixed[other] + choice->cost.fixed);
    }
    sums[at] = staircase(all_sums);
    paces[at] = staircase(all_paces);
    side.bounds[at] = combine(sums[at], paces[at]);
  };
  const auto start = [&](Side& side, int at) {
    side.bounds.assign(layers + 1, {});
    side.fixed.assign(layers + 1, 0);
    sums[at] = paces[at] = {Step{0, 0}};
    side.bounds[at] = {PlacementBound{}};
  };
  start(before_, 0);
  for (int i = 1; i <= layers; ++i) place(before_, i, ending[i], &StageChoice::first);
  start(after_, layers);
  for (int i = layers - 1; i >= 0; --i) place(after_, i, starting[i], &StageChoice::end);

  forward_pace_.assign(layers + 1, 0);
  backward_pace_.assign(layers + 1, 0);
  next_forward_pace_.assign(layers + 1, 0);
  next_backward_pace_.assign(layers + 1, 0);
  for (int i = 1; i <= layers; ++i) {
    Seconds forward = kInfinity, backward = kInfinity, next_forward = kInfinity, next_backward = kInfinity;
    for (const StageChoice* choice : ending[i]) {
      forward = std::min(forward, std::max(forward_pace_[choice->first], forward_pace(choice->cost)));
      backward = std::min(backward, std::max(backward_pace_[choice->first], backward_pace(choice->cost)));
      next_forward = std::min(next_forward, std::max(choice->cost.forward, choice->cost.forward_after));
      next_backward = std::min(next_backward, std::max(choice->cost.backward, choice->cost.backward_after));
    }
    next_forward_pace_[i] = next_forward;
    next_backward_pace_[i] = next_backward;
    forward_pace_[i] = forward;
    backward_pace_[i] = backward;
  }
}

Seconds Bounds::least_period(const Suffix& label, int first) const {
  if (first == 0) return label.period;
  const std::vector<PlacementBound>& before = before_.bounds[first];
  if (before.empty()) return kInfinity;
  const Seconds pace =
      std::max(label.forward_pace, forward_pace_[first]) + std::max(label.backward_pace, backward_pace_[first]);
  return std::max(label.period, label.sum + before.back().sum + more_ * std::max(pace, before.back().pace));
}

bool Bounds::promising(const Suffix& label, int first, const Frontier& frontier) const {
  if (first == 0) return frontier.admits(label.period, label.dollars());
  const Seconds pace =
      std::max(label.forward_pace, forward_pace_[first]) + std::max(label.backward_pace, backward_pace_[first]);
  const Dollars fixed = label.fixed + before_.fixed[first];
  const std::vector<PlacementBound>& before = before_.bounds[first];
  Frontier::Walk walk(frontier);
  for (auto bound = before.rbegin(); bound != before.rend(); ++bound) {
    const Seconds period = std::max(label.period, label.sum + bound->sum + more_ * std::max(pace, bound->pace));
    if (walk.admits(period, period * (label.rate + bound->rate) + fixed)) return true;
  }
  return false;
}

bool Bounds::promising(const StageChoice& choice, const Frontier& frontier) const {
  const StageCost& cost = choice.cost;
  const Seconds pace = std::max(forward_pace(cost), forward_pace_[choice.first]) +
                       std::max(backward_pace(cost), backward_pace_[choice.first]);
  const Seconds alone = std::max(cost.network, cost.tail + cost.forward + cost.backward + cost.after +
                                                   more_ * (std::max(cost.forward, cost.forward_after) +
                                                            std::max(cost.backward, cost.backward_after)));
  const Dollars fixed = before_.fixed[choice.first] + cost.fixed + after_.fixed[choice.end];
  for (const PlacementBound& after : after_.bounds[choice.end]) {
    const std::vector<PlacementBound>& before = before_.bounds[choice.first];
    Frontier::Walk walk(frontier);
    for (auto bound = before.rbegin(); bound != before.rend(); ++bound) {
      const Seconds period =
          std::max(alone, passage(cost) + bound->sum + after.sum + more_ * std::max({pace, bound->pace, after.pace}));
      if (walk.admits(period, period * (bound->rate + cost.rate + after.rate) + fixed)) return true;
    }
  }
  return false;
}

}  // namespace funcpipe
