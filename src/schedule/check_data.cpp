#include "schedule/check_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "schedule/check_form.h"

namespace funcpipe {
namespace {

// One access of one operation to a place.
struct Use {
  int op = 0;
  Slice slice;
  Access access = Access::read;

  bool writes() const { return funcpipe::writes(access); }
};

bool conflict(const Use& a, const Use& b) {
  return (a.writes() || b.writes()) && overlap(a.slice, b.slice);
}

// Checks all uses of one buffer, or of the part of it that belongs to one micro-batch or operation. The operations of
// the compute lane run in a fixed order. If they are listed in that order, a transfer is compared only with the last
// conflicting one listed before it and the first one listed after it; otherwise every pair is compared.
class PlaceCheck {
 public:
  PlaceCheck(const Program& program, const LocalOrder& order, const Place& place, const std::vector<Use>& uses)
      : program_(program), order_(order), place_(place), lasts_(lasts(place.buffer)), uses_(uses) {}

  Result<> run() {
    FUNCPIPE_TRY_VOID(check_makers());
    int last = -1;
    bool in_order = true;
    for (const Use& use : uses_) {
      if (!order_.on_compute_lane(use.op)) {
        transfers_.push_back(use);
        continue;
      }
      computing_[{use.slice, use.writes()}].push_back(use);
      in_order = in_order && (last < 0 || order_.before(last, use.op));
      last = use.op;
    }
    if (!in_order) return check_every_pair();
    for (const Use& transfer : transfers_)
      for (const auto& [touched, computing] : computing_)
        if (conflict(computing.front(), transfer)) FUNCPIPE_TRY_VOID(check_against(transfer, computing));
    return check_transfers();
  }

 private:
  tl::unexpected<Error> wrong(int op, std::string what) const {
    return tl::unexpected<Error>(unsound(program_, op, std::move(what)));
  }
  // Returns the error that `second` may run at the same time as `first`, or before it.
  tl::unexpected<Error> together(const Use& first, const Use& second, bool next) const {
    return wrong(second.op, fmt::format("may touch the {} together with operation {} ({}){}", to_string(place_),
                                        first.op, to_string(program_.ops[static_cast<std::size_t>(first.op)].kind),
                                        next ? " of the iteration before" : ""));
  }

  // Checks that every read comes after a write of the same place. Places of a micro-batch, and staged bytes, have to be
  // written anew in every iteration. A read_if_made needs a write only if some operation writes the place, or if it is
  // the input of a later stage, which the stage before sends.
  Result<> check_makers() const {
    bool made = lasts_ && place_.buffer != Buffer::staged;
    const bool needed =
        std::ranges::any_of(uses_, &Use::writes) || (place_.buffer == Buffer::input && program_.worker.stage > 0);
    for (const Use& use : uses_) {
      if (!made && (use.access == Access::read || (use.access == Access::read_if_made && needed)))
        return wrong(use.op, fmt::format("reads {}, which nothing has made", to_string(place_)));
      made |= use.writes();
    }
    return {};
  }

  // Checks that two uses run in the order in which they are listed and, where the place lasts, that each of them runs
  // before both of the next iteration.
  Result<> check_pair(const Use& a, const Use& b) const {
    const Use &first = a.op < b.op ? a : b, &second = a.op < b.op ? b : a;
    if (a.op != b.op && !order_.before(first.op, second.op)) return together(first, second, false);
    if (!lasts_) return {};
    if (!order_.before_next(first.op, second.op)) return together(first, second, true);
    if (!order_.before_next(second.op, first.op)) return together(second, first, true);
    return {};
  }

  Result<> check_every_pair() const {
    for (auto b = uses_.begin(); b != uses_.end(); ++b)
      for (auto a = uses_.begin(); a <= b; ++a)
        if (conflict(*a, *b)) FUNCPIPE_TRY_VOID(check_pair(*a, *b));
    return {};
  }

  // All of `computing` conflict with the transfer.
  Result<> check_against(const Use& transfer, const std::vector<Use>& computing) const {
    const auto after = std::ranges::upper_bound(computing, transfer.op, {}, &Use::op);
    if (after != computing.begin() && !order_.before(std::prev(after)->op, transfer.op))
      return together(*std::prev(after), transfer, false);
    if (after != computing.end() && !order_.before(transfer.op, after->op)) return together(transfer, *after, false);
    if (!lasts_) return {};
    if (!order_.before_next(computing.back().op, transfer.op)) return together(computing.back(), transfer, true);
    if (!order_.before_next(transfer.op, computing.front().op)) return together(transfer, computing.front(), true);
    return {};
  }

  Result<> check_transfers() {
    std::ranges::stable_sort(transfers_, {}, [](const Use& use) { return use.slice.first; });
    std::vector<Use> open;  // Earlier transfers whose slice reaches into the current one's.
    for (const Use& transfer : transfers_) {
      std::erase_if(open, [&](const Use& other) { return !overlap(other.slice, transfer.slice); });
      if (transfer.writes()) FUNCPIPE_TRY_VOID(check_pair(transfer, transfer));
      for (const Use& other : open)
        if (conflict(other, transfer)) FUNCPIPE_TRY_VOID(check_pair(other, transfer));
      open.push_back(transfer);
    }
    return {};
  }

  const Program& program_;
  const LocalOrder& order_;
  const Place place_;
  const bool lasts_;
  const std::vector<Use>& uses_;  // in the order of operations
  std::vector<Use> transfers_;
  std::map<std::pair<Slice, bool>, std::vector<Use>> computing_;  // By slice and by whether they write.
};

bool touches_lasting(OpKind kind) {
  return std::ranges::any_of(traits(kind), [](const Touch& touch) { return lasts(touch.buffer); });
}

// Checks what must hold in every iteration besides the absence of conflicts: the update comes after everything that
// touches a lasting buffer, and replicas exchange state before any computation of the iteration changes it.
Result<> check_iteration(const Program& program, const LocalOrder& order) {
  const int size = static_cast<int>(program.ops.size());
  const auto wrong = [&](int op, std::string what) {
    return tl::unexpected<Error>(unsound(program, op, std::move(what)));
  };
  const auto kind = [&](int op) { return program.ops[static_cast<std::size_t>(op)].kind; };
  int update = -1, last_computed = -1, computes_with_state = -1;
  for (int i = 0; i < size; ++i) {
    const Touch* const state = touch_of(kind(i), Buffer::state);
    if (update >= 0 && touches_lasting(kind(i))) return wrong(i, "comes after the update");
    if (state && order.on_compute_lane(i)) computes_with_state = i;
    if (state && !order.on_compute_lane(i) && computes_with_state >= 0)
      return wrong(i, fmt::format("exchanges the state after operation {} ({})", computes_with_state,
                                  to_string(kind(computes_with_state))));
    if (is_update(kind(i))) update = i;
    if (update < 0 && touches_lasting(kind(i)) && order.on_compute_lane(i)) last_computed = i;
  }
  if (update < 0) return {};
  if (last_computed >= 0 && !order.before(last_computed, update))
    return wrong(update,
                 fmt::format("may come before operation {} ({})", last_computed, to_string(kind(last_computed))));
  for (int i = 0; i < size; ++i)
    if (touch_of(kind(i), Buffer::state) && !order.on_compute_lane(i) && !order.before_next(update, i))
      return wrong(i, "may exchange the state before the update of the iteration before");
  return {};
}

}  // namespace

Result<> check_data(const Program& program, const LocalOrder& order) {
  std::map<std::pair<Buffer, int>, std::vector<Use>> places;
  for (int i = 0; i < static_cast<int>(program.ops.size()); ++i) {
    const Op& op = program.ops[static_cast<std::size_t>(i)];
    for (const Touch& touch : traits(op.kind)) {
      const Place place = place_of(touch, op, i);
      if (place.slice.elements > 0) places[{place.buffer, place.index}].push_back({i, place.slice, touch.access});
    }
  }
  for (const auto& [place, uses] : places)
    FUNCPIPE_TRY_VOID(PlaceCheck(program, order, {place.first, place.second, kWhole}, uses).run());
  return check_iteration(program, order);
}

}  // namespace funcpipe
