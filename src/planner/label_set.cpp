#include "planner/label_set.h"

#include <algorithm>
#include <tuple>

namespace funcpipe {

void keep_undominated(std::vector<Label>& labels, int first, const Bounds& bounds, double more, bool stages_matter) {
  // The stage before paces the pipeline at least so, whichever it is.
  const Seconds least_forward = bounds.next_forward_pace(first), least_backward = bounds.next_backward_pace(first);
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return std::tie(a.suffix.rate, a.suffix.sum, a.suffix.fixed) <
           std::tie(b.suffix.rate, b.suffix.sum, b.suffix.fixed);
  });
  struct Kept {
    Seconds sum, forward, backward, period;
    double rate;
    Dollars fixed;
    const StoreUse* store;
    int stages;
  };
  std::vector<Kept> kept;
  std::size_t count = 0;
  for (const Label& label : labels) {
    const Suffix& b = label.suffix;
    const Seconds forward = std::max(b.forward_pace, least_forward),
                  backward = std::max(b.backward_pace, least_backward);
    const Seconds least_period = bounds.least_period(b, first);
    // What it asks of the store is no more, or is nothing that the period would show whatever comes before.
    const StoreUse& rest = bounds.most_store_before(first);
    const auto asks_no_more = [&](const StoreUse& a) {
      for (std::size_t i = 0; i < a.seconds.size(); ++i)
        if (a.seconds[i] > b.store.seconds[i] && a.seconds[i] + rest.seconds[i] > least_period) return false;
      return true;
    };
    const auto dominates = [&](const Kept& a) {
      // Its rate is no higher: labels come in that order. A slower lane is made up for by a smaller sum, a dearer
      // iteration by a lower rate over the least time it can take.
      return a.sum + more * (std::max(0.0, a.forward - forward) + std::max(0.0, a.backward - backward)) <= b.sum &&
             a.period <= least_period && a.fixed <= b.fixed + (b.rate - a.rate) * least_period &&
             (!stages_matter || a.stages <= b.stages) && asks_no_more(*a.store);
    };
    if (std::any_of(kept.begin(), kept.end(), dominates)) continue;
    labels[count] = label;
    const Suffix& stays = labels[count++].suffix;
    kept.push_back({stays.sum, forward, backward, stays.period, stays.rate, stays.fixed, &stays.store, stays.stages});
  }
  labels.resize(count);
}

}  // namespace funcpipe
