#include "planner/label_set.h"

#include <algorithm>
#include <tuple>

namespace funcpipe {

void keep_undominated(std::vector<Label>& labels, int first, const Bounds& bounds, double more, bool stages_matter) {
  // Whatever stage comes before, the pipeline's paces are at least these.
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
    // `a` uses no more of the store, or so little that no limit of it exceeds the least period, whatever comes before.
    const StoreUse& rest = bounds.most_store_before(first);
    const auto asks_no_more = [&](const StoreUse& a) {
      for (std::size_t i = 0; i < a.seconds.size(); ++i)
        if (a.seconds[i] > b.store.seconds[i] && a.seconds[i] + rest.seconds[i] > least_period) return false;
      return true;
    };
    const auto dominates = [&](const Kept& a) {
      // a's rate is not higher, because the labels are sorted by rate. A smaller sum may make up for a slower lane, and
      // a lower rate over the least period for larger fixed dollars.
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
