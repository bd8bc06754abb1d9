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
    int stages;
  };
  std::vector<Kept> kept;
  std::size_t count = 0;
  for (const Label& label : labels) {
    const Suffix& b = label.suffix;
    const Seconds forward = std::max(b.forward_pace, least_forward),
                  backward = std::max(b.backward_pace, least_backward);
    const Seconds least_period = bounds.least_period(b, first);
    const auto dominates = [&](const Kept& a) {
      // Its rate is no higher: labels come in that order. A slower lane is made up for by a smaller sum, a dearer
      // iteration by a lower rate over the least time it can take.
      return a.sum + more * (std::max(0.0, a.forward - forward) + std::max(0.0, a.backward - backward)) <= b.sum &&
             a.period <= least_period && a.fixed <= b.fixed + (b.rate - a.rate) * least_period &&
             (!stages_matter || a.stages <= b.stages);
    };
    if (std::any_of(kept.begin(), kept.end(), dominates)) continue;
    kept.push_back({b.sum, forward, backward, b.period, b.rate, b.fixed, b.stages});
    labels[count++] = label;
  }
  labels.resize(count);
}

}  // namespace funcpipe
