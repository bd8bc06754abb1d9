#include "planner/bounds.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace funcpipe {
namespace {

// A placement's rate, and its sum or its pace.
struct Step {
  Seconds seconds;
  double rate;
};

// Collects steps in bands of rates. For each band it keeps one step with the least rate and the least seconds in it, so
// no sorting is needed.
class Staircase {
 public:
  // `least_rate` is the least rate of any step. Rates of one band agree in exponent and `resolution` bits of mantissa.
  Staircase(double least_rate, int resolution) : shift_(52 - resolution), least_(band(least_rate)) {}

  void clear() { bands_.clear(); }
  void add(Seconds seconds, double rate) {
    const std::size_t index = std::min<std::size_t>(band(rate) - std::min(least_, band(rate)), kMostBands);
    if (index >= bands_.size()) bands_.resize(index + 1, {kInfinity, kInfinity});
    bands_[index].seconds = std::min(bands_[index].seconds, seconds);
    bands_[index].rate = std::min(bands_[index].rate, rate);
  }
  // Returns steps by ascending rate and descending seconds.
  std::vector<Step> steps() const {
    std::vector<Step> steps;
    Seconds least = kInfinity;
    for (const Step& step : bands_) {
      if (step.seconds >= least) continue;
      least = step.seconds;
      steps.push_back(step);
    }
    return steps;
  }

 private:
  static constexpr std::size_t kMostBands = 1024;
  std::uint64_t band(double rate) const { return std::bit_cast<std::uint64_t>(rate) >> shift_; }

  int shift_;
  std::uint64_t least_;
  std::vector<Step> bands_;
};

// Returns a stage's part of the sum; the first stage's includes its tail.
Seconds passage(const StageChoice& choice) {
  const StageCost& stage = choice.cost;
  return stage.before + stage.forward + stage.backward + stage.after + (choice.first == 0 ? stage.tail : 0);
}

// Merges both staircases into one list: each rate with the least sum and the least pace at that rate or below.
std::vector<PlacementBound> combine(const std::vector<Step>& sums, const std::vector<Step>& paces) {
  std::vector<PlacementBound> bounds;
  auto sum = sums.begin(), pace = paces.begin();
  while (sum != sums.end() || pace != paces.end()) {
    PlacementBound bound = bounds.empty() ? PlacementBound{0, kInfinity, kInfinity} : bounds.back();
    const double next_sum = sum != sums.end() ? sum->rate : kInfinity;
    const double next_pace = pace != paces.end() ? pace->rate : kInfinity;
    bound.rate = std::min(next_sum, next_pace);
    if (next_sum == bound.rate) bound.sum = (sum++)->seconds;
    if (next_pace == bound.rate) bound.pace = (pace++)->seconds;
    bounds.push_back(bound);
  }
  // No placement has a rate below the first at which both are known.
  std::erase_if(bounds, [](const PlacementBound& bound) { return bound.sum == kInfinity || bound.pace == kInfinity; });
  return bounds;
}

// Bounds are first looked at in groups of this size: a group's least rate with its least sum and pace.
constexpr std::size_t kGroup = 8;

// Returns whether `frontier` admits the outcome of any of `bounds` (by ascending rate): the period period_of(bound),
// and the dollars of that period at `rate` plus the bound's rate, plus `fixed`; both are multiplied by `reach`.
template <class PeriodOf>
bool any_admitted(const std::vector<PlacementBound>& bounds, const Frontier& frontier, double reach, double rate,
                  Dollars fixed, const PeriodOf& period_of) {
  for (std::size_t end = bounds.size(); end > 0;) {
    const std::size_t first = (end - 1) / kGroup * kGroup;
    const Seconds least = period_of(bounds[end - 1]);
    if (frontier.may_admit(least * reach, (least * (rate + bounds[first].rate) + fixed) * reach)) {
      for (std::size_t i = end; i-- > first;) {
        const Seconds least_period = period_of(bounds[i]), period = least_period * reach;
        const Dollars dollars = (least_period * (rate + bounds[i].rate) + fixed) * reach;
        if (frontier.may_admit(period, dollars) && frontier.admits(period, dollars)) return true;
      }
    }
    end = first;
  }
  return false;
}

}  // namespace

Seconds forward_pace(const StageCost& stage) {
  return std::max({stage.forward, stage.forward_before, stage.forward_after});
}

Seconds backward_pace(const StageCost& stage) {
  return std::max({stage.backward, stage.backward_before, stage.backward_after});
}

Bounds::Bounds(int layers, const std::vector<StageChoice>& choices, double more, int resolution, Seconds floor,
               double slack)
    : more_(more), floor_(floor), reach_(1 + slack) {
  // Holds together what is needed of a choice, since there may be hundreds of thousands.
  struct Placement {
    int rest;  // Where the layers that are placed already end (or, from the other side, begin).
    Seconds passage, pace;
    double rate;
    Dollars fixed;
    const StoreUse* store;
  };
  std::vector<std::vector<Placement>> ending(layers + 1), starting(layers + 1);
  forward_pace_.assign(layers + 1, kInfinity);
  backward_pace_.assign(layers + 1, kInfinity);
  forward_pace_[0] = backward_pace_[0] = 0;
  next_forward_pace_.assign(layers + 1, kInfinity);
  next_backward_pace_.assign(layers + 1, kInfinity);
  next_forward_pace_[0] = next_backward_pace_[0] = 0;
  double least_rate = kInfinity;
  for (const StageChoice& choice : choices) {
    const int first = choice.first, end = choice.end;
    const StageCost& cost = choice.cost;
    const Seconds forward = forward_pace(cost), backward = backward_pace(cost);
    const Placement placement{first, passage(choice), forward + backward, cost.rate, cost.fixed, &cost.store};
    ending[end].push_back(placement);
    starting[first].push_back(placement);
    starting[first].back().rest = end;
    least_rate = std::min(least_rate, cost.rate);
    const auto lower = [](Seconds& least, Seconds value) { least = std::min(least, value); };
    lower(forward_pace_[end], std::max(forward_pace_[first], forward));
    lower(backward_pace_[end], std::max(backward_pace_[first], backward));
    lower(next_forward_pace_[end], std::max(cost.forward, cost.forward_after));
    lower(next_backward_pace_[end], std::max(cost.backward, cost.backward_after));
  }
  std::vector<std::vector<Step>> sums(layers + 1), paces(layers + 1);
  Staircase all_sums(least_rate, resolution), all_paces(least_rate, resolution);
  // Computes the bounds at `at`: each of the stages `last` is combined with the bounds at its `rest`.
  const auto place = [&](Side& side, int at, const std::vector<Placement>& last) {
    all_sums.clear();
    all_paces.clear();
    side.fixed[at] = kInfinity;
    side.store[at].seconds.fill(kInfinity);
    for (const Placement& choice : last) {
      for (const Step& step : sums[choice.rest]) all_sums.add(step.seconds + choice.passage, step.rate + choice.rate);
      for (const Step& step : paces[choice.rest])
        all_paces.add(std::max(step.seconds, choice.pace), step.rate + choice.rate);
      side.fixed[at] = std::min(side.fixed[at], side.fixed[choice.rest] + choice.fixed);
      side.store[at] = least_of(side.store[at], side.store[choice.rest] + *choice.store);
    }
    sums[at] = all_sums.steps();
    paces[at] = all_paces.steps();
    side.bounds[at] = combine(sums[at], paces[at]);
  };
  const auto start = [&](Side& side, int at) {
    side.bounds.assign(layers + 1, {});
    side.fixed.assign(layers + 1, 0);
    side.store.assign(layers + 1, {});
    sums[at] = paces[at] = {Step{0, 0}};
    side.bounds[at] = {PlacementBound{}};
  };
  start(before_, 0);
  most_store_.assign(layers + 1, {});
  for (int i = 1; i <= layers; ++i) {
    place(before_, i, ending[i]);
    for (const Placement& choice : ending[i])
      most_store_[i] = most_of(most_store_[i], most_store_[choice.rest] + *choice.store);
  }
  start(after_, layers);
  for (int i = layers - 1; i >= 0; --i) place(after_, i, starting[i]);
}

Seconds Bounds::least_period(const Suffix& label, int first) const {
  if (first == 0) return label.period;
  const std::vector<PlacementBound>& before = before_.bounds[first];
  if (before.empty()) return kInfinity;
  const Seconds pace =
      std::max(label.forward_pace, forward_pace_[first]) + std::max(label.backward_pace, backward_pace_[first]);
  return std::max({label.period, (label.store + before_.store[first]).longest(),
                   label.sum + before.back().sum + more_ * std::max({pace, before.back().pace, floor_})});
}

bool Bounds::promising(const Suffix& label, int first, const Frontier& frontier) const {
  if (first == 0) return frontier.admits(label.period, label.dollars());
  const Seconds pace = std::max(floor_, std::max(label.forward_pace, forward_pace_[first]) +
                                            std::max(label.backward_pace, backward_pace_[first]));
  const Dollars fixed = label.fixed + before_.fixed[first];
  const Seconds least = std::max(label.period, (label.store + before_.store[first]).longest());
  return any_admitted(before_.bounds[first], frontier, reach_, label.rate, fixed, [&](const PlacementBound& before) {
    return std::max(least, label.sum + before.sum + more_ * std::max(pace, before.pace));
  });
}

bool Bounds::promising(const StageChoice& choice, const Frontier& frontier) const {
  const StageCost& cost = choice.cost;
  const Seconds pace = std::max(floor_, std::max(forward_pace(cost), forward_pace_[choice.first]) +
                                            std::max(backward_pace(cost), backward_pace_[choice.first]));
  const StoreUse store = before_.store[choice.first] + cost.store + after_.store[choice.end];
  const Seconds alone = std::max(
      {cost.network, store.longest(),
       cost.tail + cost.forward + cost.backward + cost.after +
           more_ * (std::max(cost.forward, cost.forward_after) + std::max(cost.backward, cost.backward_after))});
  const Dollars fixed = before_.fixed[choice.first] + cost.fixed + after_.fixed[choice.end];
  const Seconds own = passage(choice);
  const auto admits_with = [&](const PlacementBound& after) {
    const Seconds least_pace = std::max(pace, after.pace), sum = own + after.sum;
    return any_admitted(before_.bounds[choice.first], frontier, reach_, cost.rate + after.rate, fixed,
                        [&](const PlacementBound& before) {
                          return std::max(alone, sum + before.sum + more_ * std::max(least_pace, before.pace));
                        });
  };
  const std::vector<PlacementBound>& afters = after_.bounds[choice.end];
  for (std::size_t first = 0; first < afters.size(); first += kGroup) {
    const std::size_t end = std::min(first + kGroup, afters.size());
    if (!admits_with({afters[first].rate, afters[end - 1].sum, afters[end - 1].pace})) continue;
    if (std::any_of(afters.begin() + first, afters.begin() + end, admits_with)) return true;
  }
  return false;
}

}  // namespace funcpipe
