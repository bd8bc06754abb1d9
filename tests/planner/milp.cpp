#include "planner/milp.h"

#include <coin/Cbc_C_Interface.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/check.h"

namespace funcpipe {
namespace {

// Costs closer than this are not told apart: the solver keeps rows to some 1e-7.
constexpr double kStep = 1e-5;

// A linear program under construction. A row names a column once.
class Linear {
 public:
  Linear() : model_(Cbc_newModel(), &Cbc_deleteModel) {
    Cbc_setLogLevel(model_.get(), 0);
    Cbc_setAllowableGap(model_.get(), 0);
    Cbc_setAllowableFractionGap(model_.get(), 0);
    Cbc_setParameter(model_.get(), "increment", "1e-9");
    // With it CBC 2.10.8 calls plans optimal that are not.
    Cbc_setParameter(model_.get(), "preprocess", "off");
  }

  int column(double objective, bool binary) {
    Cbc_addCol(model_.get(), "", 0, binary ? 1 : kInfinity, objective, binary ? 1 : 0, 0, nullptr, nullptr);
    return columns_++;
  }
  Linear& term(int column, double factor) {
    if (factor != 0) {
      indices_.push_back(column);
      factors_.push_back(factor);
    }
    return *this;
  }
  // `sense`: 'L' at most, 'G' at least, 'E' equal.
  void row(char sense, double bound) {
    Cbc_addRow(model_.get(), "", static_cast<int>(indices_.size()), indices_.data(), factors_.data(), sense, bound);
    indices_.clear();
    factors_.clear();
  }
  // Values of all columns; nullptr: nothing satisfies all rows.
  const double* solve() {
    Cbc_solve(model_.get());
    if (Cbc_isProvenInfeasible(model_.get())) return nullptr;
    FUNCPIPE_CHECK(Cbc_isProvenOptimal(model_.get()), "the solver gave up with status {}", Cbc_status(model_.get()));
    return Cbc_getColSolution(model_.get());
  }

 private:
  std::unique_ptr<Cbc_Model, decltype(&Cbc_deleteModel)> model_;
  int columns_ = 0;
  std::vector<int> indices_;
  std::vector<double> factors_;
};

}  // namespace

PlanProgram::PlanProgram(const std::vector<Chain>& chains, const Accounting& accounting, Candidate candidate)
    : chain_(chains[candidate.chain]), spans_(chain_), accounting_(accounting), candidate_(std::move(candidate)) {
  const StageCosts costs(chain_, spans_, candidate_.configuration, accounting_);
  more_ = costs.more();
  for (int first = 0; first < chain_.layer_count(); ++first) {
    for (int end = first + 1; end <= chain_.layer_count(); ++end) {
      for (int option = 0; option < std::ssize(chain_.options); ++option)
        if (costs.fits(first, end, option)) stages_.push_back({first, end, option, costs.of(first, end, option)});
    }
  }
}

std::optional<Candidate> PlanProgram::fastest(Seconds period, Dollars dollars) const {
  Linear linear;
  std::vector<int> chosen;
  for (std::size_t i = 0; i < stages_.size(); ++i) chosen.push_back(linear.column(0, true));
  const int time = linear.column(1, false);

  const int layers = chain_.layer_count();
  std::vector<std::vector<int>> starting(layers), ending(layers + 1);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    starting[stages_[i].first].push_back(static_cast<int>(i));
    ending[stages_[i].end].push_back(static_cast<int>(i));
  }
  for (int layer = 0; layer < layers; ++layer) {
    for (const int i : starting[layer]) linear.term(chosen[i], 1);
    for (const int i : ending[layer]) linear.term(chosen[i], -1);
    linear.row('E', layer == 0 ? 1 : 0);
  }
  const int most_stages = chain_.limits.concurrency / candidate_.configuration.replicas;
  if (most_stages < layers) {
    for (std::size_t i = 0; i < stages_.size(); ++i) linear.term(chosen[i], 1);
    linear.row('L', most_stages);
  }
  // From a layer on: all passages, and the slowest lane of each direction, its first stage's receiving lanes left
  // out ("own") and included.
  int sum = linear.column(0, false), forward = linear.column(0, false), backward = linear.column(0, false);
  linear.term(sum, 1).row('E', 0);
  for (int layer = layers - 1; layer >= 0; --layer) {
    // Less the figure of the stage that starts here, if one does.
    const auto less = [&](const auto& figure) {
      for (const int i : starting[layer]) linear.term(chosen[i], -figure(stages_[i].cost));
    };
    const auto at_least = [&](int maximum, double StageCost::*figure) {
      linear.term(maximum, 1);
      less([&](const StageCost& cost) { return cost.*figure; });
      linear.row('G', 0);
    };
    const auto at_least_next = [&](int maximum, int next) {
      linear.term(maximum, 1).term(next, -1).row('G', 0);
      return maximum;
    };
    const int own_forward = at_least_next(linear.column(0, false), forward);
    at_least(own_forward, &StageCost::forward);
    at_least(own_forward, &StageCost::forward_after);
    const int own_backward = at_least_next(linear.column(0, false), backward);
    at_least(own_backward, &StageCost::backward);
    at_least(own_backward, &StageCost::backward_after);

    linear.term(time, 1).term(sum, -1).term(own_forward, -more_).term(own_backward, -more_);
    less([](const StageCost& cost) { return cost.after + cost.forward + cost.backward + cost.tail; });
    linear.row('G', 0);
    at_least(time, &StageCost::network);

    forward = at_least_next(linear.column(0, false), own_forward);
    at_least(forward, &StageCost::forward_before);
    backward = at_least_next(linear.column(0, false), own_backward);
    at_least(backward, &StageCost::backward_before);
    const int longer = linear.column(0, false);
    linear.term(longer, 1).term(sum, -1);
    less([](const StageCost& cost) { return cost.after + cost.forward + cost.backward + cost.before; });
    linear.row('E', 0);
    sum = longer;
  }
  for (std::size_t limit = 0; limit < StoreUse{}.seconds.size(); ++limit) {
    linear.term(time, 1);
    for (std::size_t i = 0; i < stages_.size(); ++i) linear.term(chosen[i], -stages_[i].cost.store.seconds[limit]);
    linear.row('G', 0);
  }
  if (dollars < kInfinity) {
    for (std::size_t i = 0; i < stages_.size(); ++i)
      linear.term(chosen[i], (period * stages_[i].cost.rate + stages_[i].cost.fixed) / dollars);
    linear.row('L', 1);
  }

  const double* values = linear.solve();
  if (!values) return std::nullopt;
  std::vector<const Stage*> plan;
  for (std::size_t i = 0; i < stages_.size(); ++i)
    if (values[chosen[i]] > 0.5) plan.push_back(&stages_[i]);
  std::sort(plan.begin(), plan.end(), [](const Stage* a, const Stage* b) { return a->first < b->first; });
  Candidate candidate = candidate_;
  for (const Stage* stage : plan) {
    candidate.ends.push_back(stage->end);
    candidate.options.push_back(stage->option);
  }
  evaluate(chain_, spans_, accounting_, candidate);
  // The program's own idea of the period is that of the formula.
  FUNCPIPE_CHECK(std::abs(values[time] - candidate.period) <= 1e-6 * (1 + candidate.period),
                 "the program says {} s, the formula {} s", values[time], candidate.period);
  return candidate;
}

Frontier milp_frontier(const std::vector<Chain>& chains, const SearchSpace& space, MilpStatistics& statistics) {
  // Of each configuration the answer to a looser question; it stays the answer as long as it still qualifies.
  struct Configured {
    PlanProgram program;
    std::optional<Candidate> fastest;
  };
  std::vector<Configured> all;
  const auto solve = [&](const PlanProgram& program, Seconds period, Dollars dollars) {
    ++statistics.solved;
    return program.fastest(period, dollars);
  };
  for (int c = 0; c < std::ssize(chains); ++c) {
    const int micro_batches = space.micro_batches_of(chains[c]);
    for (const int replicas : space.replicas) {
      if (replicas > std::min(micro_batches, chains[c].limits.concurrency)) continue;
      for (const SyncAlgorithm sync : space.syncs) {
        PlanProgram program(chains, space.accounting,
                            {.chain = c, .configuration = space.configuration_of(chains[c], replicas, sync)});
        statistics.most_binaries = std::max(statistics.most_binaries, program.binaries());
        auto fastest = solve(program, 0, kInfinity);
        all.push_back({std::move(program), std::move(fastest)});
      }
    }
  }
  Frontier frontier;
  Seconds period = 0;
  Dollars dollars = kInfinity;
  while (true) {
    Configured* next = nullptr;
    for (Configured& one : all)
      if (one.fastest && (!next || one.fastest->period < next->fastest->period)) next = &one;
    if (!next) return frontier;
    period = std::max(period, next->fastest->period);
    dollars = std::min(dollars, next->fastest->dollars);
    frontier.add(*next->fastest);
    next->fastest = solve(next->program, period, dollars * (1 - kStep));
  }
}

}  // namespace funcpipe
