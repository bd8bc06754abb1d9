#include "schedule/check_data.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "schedule/builder.h"
#include "schedule/check_form.h"

namespace funcpipe {
namespace {

class DataCheck {
 public:
  DataCheck(const Program& program, const LocalOrder& order)
      : program_(program), order_(order), size_(static_cast<int>(program.ops.size())) {
    for (const Op& op : program.ops) elements_ = std::max(elements_, op.slice.first + op.slice.elements);
  }

  Result<> run() {
    FUNCPIPE_TRY_VOID(check_tensors());
    FUNCPIPE_TRY_VOID(check_gradient());
    FUNCPIPE_TRY_VOID(check_shared_state());
    return check_updates();
  }

 private:
  const Op& op(int index) const { return program_.ops[static_cast<std::size_t>(index)]; }
  Slice slice(int index) const { return gradient_slice(op(index), elements_); }
  bool writes(int index) const { return gradient_access(op(index).kind) == GradientAccess::write; }

  tl::unexpected<Error> wrong(int index, std::string what) const {
    return tl::unexpected<Error>(unsound(program_, index, std::move(what)));
  }

  Result<> check_tensors() {
    const auto key = [](OpKind kind, int micro_batch) {
      return static_cast<std::uint64_t>(kind) << 32 | static_cast<std::uint32_t>(micro_batch);
    };
    std::unordered_map<std::uint64_t, int> makers;
    for (int i = 0; i < size_; ++i)
      if (op(i).micro_batch >= 0) makers.emplace(key(op(i).kind, op(i).micro_batch), i);
    const auto needs = [&](int index, OpKind maker, bool required) -> Result<> {
      const auto found = makers.find(key(maker, op(index).micro_batch));
      if (found == makers.end()) {
        if (required) return wrong(index, fmt::format("has no {} before it", to_string(maker)));
        return {};
      }
      if (order_.before(found->second, index)) return {};
      return wrong(index, fmt::format("may start before operation {} ({}) is done", found->second, to_string(maker)));
    };
    for (int i = 0; i < size_; ++i) {
      switch (op(i).kind) {
        case OpKind::forward:
          FUNCPIPE_TRY_VOID(needs(i, OpKind::load, false));
          FUNCPIPE_TRY_VOID(needs(i, OpKind::receive_activation, program_.worker.stage > 0));
          break;
        case OpKind::backward:
          FUNCPIPE_TRY_VOID(needs(i, OpKind::forward, true));
          FUNCPIPE_TRY_VOID(needs(i, OpKind::receive_gradient, false));
          break;
        case OpKind::send_activation:
          FUNCPIPE_TRY_VOID(needs(i, OpKind::forward, true));
          break;
        case OpKind::send_gradient:
          FUNCPIPE_TRY_VOID(needs(i, OpKind::backward, true));
          break;
        case OpKind::reduce:
          if (!order_.before(op(i).source, i)) return wrong(i, "may start before its source is done");
          if (!order_.before_next(i, op(i).source))
            return wrong(op(i).source, "may overwrite what it staged in the iteration before");
          break;
        default:
          break;
      }
    }
    return {};
  }

  tl::unexpected<Error> together(int a, int b, bool next) const {
    return wrong(b, fmt::format("may touch the gradient together with operation {} ({}){}", a, to_string(op(a).kind),
                                next ? " of the iteration before" : ""));
  }

  // Of two that may not be under way together: in one iteration, and either one and the other of the next.
  Result<> check_pair(int a, int b) const {
    if (a != b && !order_.before(a, b) && !order_.before(b, a)) return together(a, b, false);
    if (!order_.before_next(a, b)) return together(a, b, true);
    if (!order_.before_next(b, a)) return together(b, a, true);
    return {};
  }

  // Operations of the compute lane that touch the gradient all write it, one after the other. Those of equal slices
  // stand together here, in the lane's order.
  Result<> check_gradient() {
    std::map<Slice, std::vector<int>> computing;  // operations
    std::vector<int> transfers;
    const std::vector<int>& lane = program_.lanes[static_cast<int>(Lane::compute)];
    for (int i = 0; i < size_; ++i)
      if (gradient_access(op(i).kind) != GradientAccess::none && !order_.on_compute_lane(i)) transfers.push_back(i);
    for (const int i : lane)
      if (gradient_access(op(i).kind) != GradientAccess::none) computing[slice(i)].push_back(i);
    for (const int transfer : transfers)
      for (const auto& [touched, operations] : computing)
        if (overlap(touched, slice(transfer))) FUNCPIPE_TRY_VOID(check_against(transfer, operations));

    std::ranges::stable_sort(transfers, {}, [&](int i) { return slice(i).first; });
    std::vector<int> open;  // transfers that reach to the current one
    for (const int transfer : transfers) {
      const Slice own = slice(transfer);
      std::erase_if(open, [&](int other) { return !overlap(slice(other), own); });
      if (writes(transfer)) FUNCPIPE_TRY_VOID(check_pair(transfer, transfer));
      for (const int other : open)
        if (writes(transfer) || writes(other)) FUNCPIPE_TRY_VOID(check_pair(other, transfer));
      open.push_back(transfer);
    }
    return {};
  }

  // `operations` in the order of the compute lane. Of those that are neither certainly before the transfer nor
  // certainly after it each is looked at; then the last one before it and the first one after it over the iterations.
  Result<> check_against(int transfer, const std::vector<int>& operations) const {
    const auto position = [&](int index) { return order_.first_after(index); };  // of a compute operation: its own
    const int last_before = order_.last_before(transfer), first_after = order_.first_after(transfer);
    for (auto at = std::ranges::upper_bound(operations, last_before, {}, position);
         at != operations.end() && position(*at) < first_after; ++at)
      FUNCPIPE_TRY_VOID(check_pair(*at, transfer));
    if (!order_.before_next(operations.back(), transfer)) return together(operations.back(), transfer, true);
    if (!order_.before_next(transfer, operations.front())) return together(transfer, operations.front(), true);
    return {};
  }

  // Forward writes to what is exchanged: after the exchange, and the next exchange after this iteration's update.
  Result<> check_shared_state() const {
    for (int exchange = 0; exchange < size_; ++exchange) {
      const OpKind kind = op(exchange).kind;
      if (kind != OpKind::publish_buffers && kind != OpKind::fetch_buffers) continue;
      for (int i = 0; i < size_; ++i) {
        if (op(i).kind == OpKind::forward && !order_.before(exchange, i))
          return wrong(i, fmt::format("may start before operation {} ({}) is done", exchange, to_string(kind)));
        if (op(i).kind == OpKind::update && !order_.before_next(i, exchange))
          return wrong(exchange, fmt::format("may start before operation {} (update) is done", i));
      }
    }
    return {};
  }

  Result<> check_updates() const {
    for (int update = 0; update < size_; ++update) {
      if (op(update).kind != OpKind::update) continue;
      for (int i = 0; i < size_; ++i) {
        const OpKind kind = op(i).kind;
        const bool before = kind == OpKind::forward || gradient_access(kind) != GradientAccess::none;
        if (i != update && before && !order_.before(i, update))
          return wrong(update, fmt::format("comes before operation {} ({})", i, to_string(kind)));
      }
    }
    return {};
  }

  const Program& program_;
  const LocalOrder& order_;
  const int size_;
  std::int64_t elements_ = 1;
};

}  // namespace

Result<> check_data(const Program& program, const LocalOrder& order) {
  return DataCheck(program, order).run();
}

}  // namespace funcpipe
