#include "planner/frontier.h"

#include <algorithm>

namespace funcpipe {

Dollars Frontier::cheapest_within(Seconds period) const {
  const auto next = std::upper_bound(prices_.begin(), prices_.end(), period,
                                     [](Seconds value, const Price& price) { return value < price.period; });
  return next == prices_.begin() ? kInfinity : std::prev(next)->dollars;
}

void Frontier::add(Candidate candidate) {
  if (!admits(candidate.period, candidate.dollars)) return;
  const auto first = std::lower_bound(prices_.begin(), prices_.end(), candidate.period * (1 - kTolerance),
                                      [](const Price& price, Seconds value) { return price.period < value; });
  auto last = first;
  while (last != prices_.end() && last->dollars >= candidate.dollars) ++last;
  const auto from = points_.begin() + (first - prices_.begin()), to = points_.begin() + (last - prices_.begin());
  const Price price{candidate.period, candidate.dollars};
  points_.insert(points_.erase(from, to), std::move(candidate));
  prices_.insert(prices_.erase(first, last), price);
  lower_ceilings(price);
}

void Frontier::lower_ceilings(const Price& price) {
  if (ceilings_.empty()) {
    ceilings_.assign(kSlots, kInfinity);
    // Puts the first period into the middle of the table. A period below the table's range belongs to slot 0, which
    // stays at infinity.
    first_step_ = step(price.period) - std::min(kSlots / 2, step(price.period));
  }
  for (std::uint64_t above = slot(price.period) + 1; above < kSlots && ceilings_[above] > price.dollars; ++above)
    ceilings_[above] = price.dollars;
}

}  // namespace funcpipe
