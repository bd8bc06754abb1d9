#include "planner/optimizer.h"

#include <algorithm>
#include <utility>

#include "planner/bounds.h"
#include "planner/label_set.h"
#include "planner/merge.h"

namespace funcpipe {
namespace {

// Chains longer than this are first solved with their layers merged to a third: good plans early prune the rest.
constexpr int kDirect = 12;

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

// Partial plans looked at together before each is: what the best of them all could become may not be worth having.
constexpr int kTogether = 8;

// No worse in anything than any of `labels`, for each kTogether of them.
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
    least.stages = std::min(least.stages, label.stages);
  }
  return groups;
}

// Whether `a` takes no less of anything than `b`.
bool no_better(const StageCost& a, const StageCost& b) {
  return a.forward >= b.forward && a.backward >= b.backward && a.before >= b.before && a.after >= b.after &&
         a.forward_before >= b.forward_before && a.forward_after >= b.forward_after &&
         a.backward_before >= b.backward_before && a.backward_after >= b.backward_after && a.tail >= b.tail &&
         a.network >= b.network && a.rate >= b.rate && a.fixed >= b.fixed;
}

// One configuration's partial plans, from the last layer to the first.
class Search {
 public:
  Search(const Chain& chain, const SpanTable& spans, Candidate candidate, const SearchSpace& space,
         SearchStatistics& statistics)
      : chain_(chain),
        spans_(spans),
        candidate_(std::move(candidate)),
        space_(space),
        statistics_(statistics),
        costs_(chain, spans, candidate_.configuration, space.accounting) {}

  void run(Frontier& frontier) {
    const int layers = chain_.layer_count();
    const int limit = std::min(space_.most_stages > 0 ? space_.most_stages : layers,
                               chain_.limits.concurrency / candidate_.configuration.replicas);
    if (limit < 1) return;
    std::vector<StageChoice> choices = feasible_stages(chain_, costs_);
    // Stages that no plan worth having contains go first, by coarse bounds and then by finer ones of those that stay.
    for (const int resolution : {0, 2, 3}) {
      const Bounds bounds(layers, choices, costs_.more(), resolution);
      std::erase_if(choices, [&](const StageChoice& choice) { return !bounds.promising(choice, frontier); });
      if (choices.empty() || superseded(choices)) {
        ++statistics_.skipped;
        return;
      }
    }
    const Bounds bounds(layers, choices, costs_.more(), 6);
    if (!bounds.feasible()) return;
    std::vector<std::vector<const StageChoice*>> starting(layers);
    for (const StageChoice& choice : choices) starting[choice.first].push_back(&choice);

    labels_.assign(layers + 1, {});
    labels_[layers] = {Label{.end = layers}};
    std::vector<std::vector<Suffix>> groups(layers + 1);
    groups[layers] = least_of_groups(labels_[layers]);
    std::vector<Label> found;
    for (int first = layers - 1; first >= 0; --first) {
      found.clear();
      for (const StageChoice* choice : starting[first]) {
        const auto& tails = labels_[choice->end];
        for (int tail = 0; tail < std::ssize(tails); ++tail) {
          if (tail % kTogether == 0) {
            const Suffix& least = groups[choice->end][tail / kTogether];
            if (!bounds.promising(extend(least, choice->cost, costs_.more()), first, frontier)) {
              tail += kTogether - 1;
              continue;
            }
          }
          if (tails[tail].suffix.stages >= limit) continue;
          const Suffix suffix = extend(tails[tail].suffix, choice->cost, costs_.more());
          if (bounds.promising(suffix, first, frontier)) found.push_back({suffix, choice->end, choice->option, tail});
        }
      }
      statistics_.extended += std::ssize(found);
      keep_undominated(found, first, bounds, costs_.more(), limit < layers);
      statistics_.kept += std::ssize(found);
      labels_[first] = found;
      groups[first] = least_of_groups(found);
    }
    for (const Label& label : labels_[0])
      if (frontier.admits(label.suffix.period, label.suffix.dollars())) frontier.add(candidate_of(label));
  }

 private:
  // Whether a synchronisation algorithm that has been searched already is as good for each of these stages.
  bool superseded(const std::vector<StageChoice>& choices) const {
    for (const SyncAlgorithm sync : space_.syncs) {
      if (sync == candidate_.configuration.sync) break;
      Configuration other = candidate_.configuration;
      other.sync = sync;
      const StageCosts costs(chain_, spans_, other, space_.accounting);
      if (std::all_of(choices.begin(), choices.end(), [&](const StageChoice& choice) {
            return no_better(choice.cost, costs.of(choice.first, choice.end, choice.option));
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
  const Candidate candidate_;  // its configuration; no stages
  const SearchSpace& space_;
  SearchStatistics& statistics_;
  StageCosts costs_;
  std::vector<std::vector<Label>> labels_;  // [first layer]
};

// Tries every plan of `frontier` with one cut moved, to anywhere between its neighbours, or one function size changed,
// until that finds nothing more.
void improve(Frontier& frontier, const std::vector<Chain>& chains, const std::vector<SpanTable>& spans,
             const Accounting& accounting) {
  for (bool found = true; found;) {
    found = false;
    for (const Candidate& start : std::vector<Candidate>(frontier.points())) {
      const Chain& chain = chains[start.chain];
      const StageCosts costs(chain, spans[start.chain], start.configuration, accounting);
      const auto attempt = [&](Candidate candidate) {
        for (std::size_t k = 0; k < candidate.ends.size(); ++k) {
          const int first = k == 0 ? 0 : candidate.ends[k - 1];
          if (!costs.fits(first, candidate.ends[k], candidate.options[k])) return;
        }
        evaluate(chain, spans[start.chain], accounting, candidate);
        if (!frontier.admits(candidate.period, candidate.dollars)) return;
        frontier.add(std::move(candidate));
        found = true;
      };
      for (std::size_t k = 0; k < start.ends.size(); ++k) {
        for (int option = 0; option < std::ssize(chain.options); ++option) {
          Candidate changed = start;
          changed.options[k] = option;
          attempt(std::move(changed));
        }
        if (k + 1 == start.ends.size()) break;
        for (int end = (k == 0 ? 0 : start.ends[k - 1]) + 1; end < start.ends[k + 1]; ++end) {
          Candidate moved = start;
          moved.ends[k] = end;
          attempt(std::move(moved));
        }
      }
    }
  }
}

// Every plan of one stage in 1f1b order: gradient accumulation, which keeps the activations of one micro-batch.
void accumulate(Frontier& frontier, const Chain& chain, const SpanTable& spans, Candidate candidate,
                const Accounting& accounting) {
  candidate.configuration.order = PipelineOrder::one_forward_one_backward;
  candidate.ends = {chain.layer_count()};
  const StageCosts costs(chain, spans, candidate.configuration, accounting);
  for (int option = 0; option < std::ssize(chain.options); ++option) {
    if (!costs.fits(0, chain.layer_count(), option)) continue;
    candidate.options = {option};
    evaluate(chain, spans, accounting, candidate);
    frontier.add(candidate);
  }
}

bool allows(const SearchSpace& space, PipelineOrder order) {
  return std::find(space.orders.begin(), space.orders.end(), order) != space.orders.end();
}

}  // namespace

void evaluate(const Chain& chain, const SpanTable& spans, const Accounting& accounting, Candidate& candidate) {
  const StageCosts costs(chain, spans, candidate.configuration, accounting);
  Suffix suffix;
  for (std::size_t k = candidate.ends.size(); k-- > 0;) {
    const int first = k == 0 ? 0 : candidate.ends[k - 1];
    suffix = extend(suffix, costs.of(first, candidate.ends[k], candidate.options[k]), costs.more());
  }
  candidate.period = suffix.period;
  candidate.dollars = suffix.dollars();
}

Frontier optimize(const std::vector<Chain>& chains, const SearchSpace& space, SearchStatistics* statistics,
                  std::stop_token stop) {
  SearchStatistics unread;
  SearchStatistics& counts = statistics ? *statistics : unread;
  Frontier frontier;
  int longest = 0;
  for (const Chain& chain : chains) longest = std::max(longest, chain.layer_count());
  // Plans of coarser chains are plans of these chains too.
  if (longest > kDirect)
    frontier = optimize_merged(chains, std::max(kDirect / 2, longest / 3), space, /*statistics=*/nullptr, stop);
  for (std::size_t c = 0; c < chains.size(); ++c) {
    const SpanTable spans(chains[c]);
    const int micro_batches = space.micro_batches_of(chains[c]);
    for (const int replicas : space.replicas) {
      if (replicas < 1 || replicas > micro_batches) continue;
      for (const SyncAlgorithm sync : space.syncs) {
        if (replicas == 1 && sync != space.syncs.front()) continue;  // nothing to synchronise
        if (stop.stop_requested()) return frontier;
        ++counts.configurations;
        const Candidate candidate{
            .chain = static_cast<int>(c),
            .configuration = {.micro_batches = micro_batches, .replicas = replicas, .sync = sync}};
        if (allows(space, PipelineOrder::one_forward_one_backward) && replicas <= chains[c].limits.concurrency)
          accumulate(frontier, chains[c], spans, candidate, space.accounting);
        if (allows(space, PipelineOrder::gpipe)) Search(chains[c], spans, candidate, space, counts).run(frontier);
      }
    }
  }
  return frontier;
}

Frontier optimize_merged(const std::vector<Chain>& chains, int layers, const SearchSpace& space,
                         SearchStatistics* statistics, std::stop_token stop) {
  std::vector<Chain> merged;
  std::vector<std::vector<int>> ends;
  for (const Chain& chain : chains) {
    MergedChain one = merge_layers(chain, layers);
    merged.push_back(std::move(one.chain));
    ends.push_back(std::move(one.ends));
  }
  const Frontier coarse = optimize(merged, space, statistics, stop);
  Frontier frontier;
  const std::vector<SpanTable> spans(chains.begin(), chains.end());
  for (Candidate candidate : coarse.points()) {
    for (int& end : candidate.ends) end = ends[candidate.chain][end - 1];
    evaluate(chains[candidate.chain], spans[candidate.chain], space.accounting, candidate);
    frontier.add(std::move(candidate));
  }
  improve(frontier, chains, spans, space.accounting);
  return frontier;
}

}  // namespace funcpipe
