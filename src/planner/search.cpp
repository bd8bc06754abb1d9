#include "planner/search.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "planner/bounds.h"
#include "planner/label_set.h"

namespace funcpipe {
namespace {

// Resolutions of Bounds. The fine one is used once few stages are left.
constexpr int kCoarse = 3, kFine = 6;
// A band is split if its width, times the micro-batches beyond the first, is a larger share of the period than this.
constexpr double kWide = 0.05;
// A band is also split if it takes more partial plans than the larger of kPartialPlans and kPartialPlansPerStage for
// each possible stage. Splitting is not free, so the halves of such a band may each take kPatience times as many:
// otherwise bands would be split on and on where that does not help.
constexpr std::int64_t kPartialPlans = 50'000, kPartialPlansPerStage = 3, kPatience = 4;
// A band whose width is no larger a share of the period than this is never split for that.
constexpr double kNarrow = 1e-3;

// Partial plans are first looked at in groups of this size: if a plan with the least figures of the whole group cannot
// be on the Pareto frontier, none of the group can.
constexpr int kTogether = 8;

std::vector<StageChoice> feasible_stages(const Chain& chain, const StageCosts& costs) {
  std::vector<StageChoice> choices;
  for (int first = 0; first < chain.layer_count(); ++first) {
    for (int option = 0; option < std::ssize(chain.options); ++option) {
      for (int end = first + 1; end <= chain.layer_count(); ++end) {
        if (costs.fits(first, end, option)) choices.push_back({first, end, option, costs.of(first, end, option)});
      }
    }
  }
  return choices;
}

// Returns for each kTogether of `labels` a suffix that has their least figures.
std::vector<Suffix> least_of_groups(const std::vector<Label>& labels) {
  std::vector<Suffix> groups;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Suffix& label = labels[i].suffix;
    if (i % kTogether == 0) {
      groups.push_back(label);
      continue;
    }
    Suffix& least = groups.back();
    least.sum = std::min(least.sum, label.sum);
    least.forward_pace = std::min(least.forward_pace, label.forward_pace);
    least.backward_pace = std::min(least.backward_pace, label.backward_pace);
    least.period = std::min(least.period, label.period);
    least.rate = std::min(least.rate, label.rate);
    least.fixed = std::min(least.fixed, label.fixed);
    least.store = least_of(least.store, label.store);
    least.stages = std::min(least.stages, label.stages);
  }
  return groups;
}

// Returns whether no figure of `a` is less than that of `b`.
bool no_better(const StageCost& a, const StageCost& b) {
  return a.forward >= b.forward && a.backward >= b.backward && a.before >= b.before && a.after >= b.after &&
         a.forward_before >= b.forward_before && a.forward_after >= b.forward_after &&
         a.backward_before >= b.backward_before && a.backward_after >= b.backward_after && a.tail >= b.tail &&
         a.network >= b.network && a.rate >= b.rate && a.fixed >= b.fixed &&
         std::ranges::equal(a.store.seconds, b.store.seconds, std::ranges::greater_equal{});
}

Seconds pace(const StageChoice& choice) {
  return forward_pace(choice.cost) + backward_pace(choice.cost);
}

Seconds slowest(const std::vector<StageChoice>& choices) {
  Seconds slowest = 0;
  for (const StageChoice& choice : choices) slowest = std::max(slowest, pace(choice));
  return slowest;
}

class Search {
 public:
  Search(const Chain& chain, const SpanTable& spans, const Candidate& candidate, const SearchSpace& space,
         Frontier& frontier, SearchStatistics& statistics, const std::stop_token& stop,
         const std::function<void(double)>& report, double slack)
      : chain_(chain),
        spans_(spans),
        candidate_(candidate),
        space_(space),
        frontier_(frontier),
        statistics_(statistics),
        stop_(stop),
        report_(report),
        slack_(slack),
        costs_(chain, spans, candidate.configuration, space.accounting),
        layers_(chain.layer_count()),
        most_stages_(std::min(space.most_stages > 0 ? space.most_stages : layers_,
                              chain.limits.concurrency / candidate.configuration.replicas)) {}

  void run() {
    if (most_stages_ < 1) return;
    std::vector<StageChoice> choices = feasible_stages(chain_, costs_);
    for (const int resolution : {0, 2, kCoarse}) {
      if (stop_.stop_requested()) return;
      drop_unpromising(choices, Bounds(layers_, choices, costs_.more(), resolution, 0, slack_));
      if (choices.empty() || superseded(choices)) {
        ++statistics_.skipped;
        return;
      }
    }
    search_band({.floor = 0, .from = 0, .to = 1, .most = kPartialPlans}, std::move(choices));
  }

 private:
  void drop_unpromising(std::vector<StageChoice>& choices, const Bounds& bounds) const {
    std::erase_if(choices, [&](const StageChoice& choice) { return !bounds.promising(choice, frontier_); });
  }

  // A band: the plans whose pace, F + B, is at least `floor`.
  struct Band {
    Seconds floor;
    double from, to;    // Its part of the work, as shares of the whole.
    std::int64_t most;  // Partial plans that it may take before it is split.
  };

  // Searches all plans of `band` that are made of `choices`.
  void search_band(Band band, std::vector<StageChoice> choices) {
    if (stop_.stop_requested()) return;
    report_(band.from);
    ++statistics_.bands;
    Seconds top = 0;
    for (const int resolution : {kCoarse, kFine}) {
      const Bounds bounds(layers_, choices, costs_.more(), resolution, band.floor, slack_);
      if (!bounds.feasible()) return;
      drop_unpromising(choices, bounds);
      if (choices.empty()) return;
      band.floor = std::max(band.floor, bounds.least_pace());
      top = slowest(choices);
      if (costs_.more() * (top - band.floor) > kWide * bounds.least_period())
        return split(band, top, std::move(choices));
    }
    const Bounds bounds(layers_, choices, costs_.more(), kFine, band.floor, slack_);
    if (!bounds.feasible()) return;
    const bool narrow = costs_.more() * (top - band.floor) <= kNarrow * bounds.least_period();
    const std::int64_t most = narrow ? std::numeric_limits<std::int64_t>::max()
                                     : std::max(band.most, kPartialPlansPerStage * std::ssize(choices));
    if (label(bounds, choices, most)) return;
    band.most = kPatience * most;
    split(band, top, std::move(choices));
  }

  void split(const Band& band, Seconds top, std::vector<StageChoice> choices) {
    const Seconds middle = (band.floor + top) / 2;
    std::vector<StageChoice> lower;
    std::copy_if(choices.begin(), choices.end(), std::back_inserter(lower),
                 [&](const StageChoice& choice) { return pace(choice) <= middle; });
    const double half = (band.from + band.to) / 2;
    search_band({.floor = band.floor, .from = band.from, .to = half, .most = band.most}, std::move(lower));
    search_band({.floor = middle, .from = half, .to = band.to, .most = band.most}, std::move(choices));
  }

  // Searches all plans made of `choices`, from the last layer to the first. Returns false, without adding any, if that
  // takes more than `most` partial plans.
  bool label(const Bounds& bounds, const std::vector<StageChoice>& choices, std::int64_t most) {
    std::vector<std::vector<const StageChoice*>> starting(layers_);
    for (const StageChoice& choice : choices) starting[choice.first].push_back(&choice);
    labels_.assign(layers_ + 1, {});
    labels_[layers_].emplace_back().end = layers_;
    std::vector<std::vector<Suffix>> groups(layers_ + 1);
    groups[layers_] = least_of_groups(labels_[layers_]);
    std::vector<Label> found;
    for (int first = layers_ - 1; first >= 0; --first) {
      found.clear();
      for (const StageChoice* choice : starting[first]) {
        if (stop_.stop_requested()) return true;
        put_before(*choice, groups[choice->end], bounds, found);
      }
      statistics_.extended += std::ssize(found);
      most -= std::ssize(found);
      if (most < 0) return false;
      keep_undominated(found, first, bounds, costs_.more(), most_stages_ < layers_);
      statistics_.kept += std::ssize(found);
      labels_[first] = found;
      groups[first] = least_of_groups(found);
    }
    for (const Label& label : labels_[0])
      if (frontier_.admits(label.suffix.period, label.suffix.dollars())) frontier_.add(candidate_of(label));
    return true;
  }

  // Puts `choice` before every label at its end and adds the promising results to `found`.
  void put_before(const StageChoice& choice, const std::vector<Suffix>& groups, const Bounds& bounds,
                  std::vector<Label>& found) const {
    const std::vector<Label>& tails = labels_[choice.end];
    for (int tail = 0; tail < std::ssize(tails); ++tail) {
      if (tail % kTogether == 0) {
        const Suffix& least = groups[tail / kTogether];
        if (!bounds.promising(extend(least, choice.cost, costs_.more()), choice.first, frontier_)) {
          tail += kTogether - 1;
          continue;
        }
      }
      if (tails[tail].suffix.stages >= most_stages_) continue;
      const Suffix suffix = extend(tails[tail].suffix, choice.cost, costs_.more());
      if (bounds.promising(suffix, choice.first, frontier_)) found.push_back({suffix, choice.end, choice.option, tail});
    }
  }

  // Returns whether a synchronisation algorithm that was searched before is at least as good for each of these stages.
  bool superseded(const std::vector<StageChoice>& choices) const {
    for (const SyncAlgorithm sync : space_.syncs) {
      if (sync == candidate_.configuration.sync) break;
      Configuration other = candidate_.configuration;
      other.sync = sync;
      const StageCosts costs(chain_, spans_, other, space_.accounting);
      if (std::all_of(choices.begin(), choices.end(), [&](const StageChoice& choice) {
            return costs.fits(choice.first, choice.end, choice.option) &&
                   no_better(choice.cost, costs.of(choice.first, choice.end, choice.option));
          }))
        return true;
    }
    return false;
  }

  Candidate candidate_of(const Label& whole) const {
    Candidate candidate = candidate_;
    candidate.period = whole.suffix.period;
    candidate.dollars = whole.suffix.dollars();
    for (const Label* label = &whole; label->parent >= 0; label = &labels_[label->end][label->parent]) {
      candidate.ends.push_back(label->end);
      candidate.options.push_back(label->option);
    }
    return candidate;
  }

  const Chain& chain_;
  const SpanTable& spans_;
  const Candidate& candidate_;  // Has a configuration and no stages.
  const SearchSpace& space_;
  Frontier& frontier_;
  SearchStatistics& statistics_;
  const std::stop_token& stop_;
  const std::function<void(double)>& report_;
  double slack_;
  StageCosts costs_;
  int layers_, most_stages_;
  std::vector<std::vector<Label>> labels_;  // [first layer]
};

}  // namespace

void search(const Chain& chain, const SpanTable& spans, const Candidate& candidate, const SearchSpace& space,
            Frontier& frontier, SearchStatistics& statistics, const std::stop_token& stop,
            const std::function<void(double)>& report, double slack) {
  Search(chain, spans, candidate, space, frontier, statistics, stop, report, slack).run();
}

}  // namespace funcpipe
