#include "planner/frontier_search.h"

#include <algorithm>
#include <utility>

#include "base/time_limit.h"
#include "planner/merge.h"
#include "planner/search.h"

namespace funcpipe {
namespace {

// Chains longer than this are first solved with their layers merged to a third, because good plans known early prune
// the rest of the search.
constexpr int kDirect = 12;

// The slack of each round of a timed search.
constexpr double kSlacks[] = {0.2, 0.03, 0};
// The slack of its coarse search, whose plans only serve to prune.
constexpr double kCoarseSlack = 0.05;

// Tries every plan of `frontier` with one cut moved to any place between its neighbours, or with one function size
// changed, until that finds no better plan.
void improve(Frontier& frontier, const std::vector<Chain>& chains, const std::vector<SpanTable>& spans,
             const Accounting& accounting, const std::stop_token& stop) {
  for (bool found = true; found;) {
    found = false;
    for (const Candidate& start : std::vector<Candidate>(frontier.points())) {
      if (stop.stop_requested()) return;
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

// Adds every plan of one stage in 1f1b order. That is gradient accumulation; it keeps the activations of one
// micro-batch.
void accumulate(Frontier& frontier, const Chain& chain, const SpanTable& spans, Candidate candidate,
                const Accounting& accounting) {
  candidate.configuration.order = PipelineOrder::one_forward_one_backward;
  candidate.ends.assign(1, chain.layer_count());
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

// Returns all configurations to search, as candidates without stages.
std::vector<Candidate> configurations_of(const std::vector<Chain>& chains, const SearchSpace& space) {
  std::vector<Candidate> configurations;
  for (std::size_t c = 0; c < chains.size(); ++c) {
    const int micro_batches = space.micro_batches_of(chains[c]);
    for (const int replicas : space.replicas) {
      if (replicas < 1 || replicas > micro_batches) continue;
      for (const SyncAlgorithm sync : space.syncs) {
        if (replicas == 1 && sync != space.syncs.front()) continue;  // nothing to synchronise
        Candidate& candidate = configurations.emplace_back();
        candidate.chain = static_cast<int>(c);
        candidate.configuration = space.configuration_of(chains[c], replicas, sync);
      }
    }
  }
  return configurations;
}

// Searches `candidate`'s configuration in every pipeline order that is allowed.
void search_one(const std::vector<Chain>& chains, const std::vector<SpanTable>& spans, const Candidate& candidate,
                const SearchSpace& space, Frontier& frontier, SearchStatistics& counts, const std::stop_token& stop,
                const std::function<void(double)>& report, double slack) {
  ++counts.configurations;
  const Chain& chain = chains[candidate.chain];
  const SpanTable& of_chain = spans[candidate.chain];
  if (allows(space, PipelineOrder::one_forward_one_backward) &&
      candidate.configuration.replicas <= chain.limits.concurrency)
    accumulate(frontier, chain, of_chain, candidate, space.accounting);
  if (allows(space, PipelineOrder::gpipe))
    search(chain, of_chain, candidate, space, frontier, counts, stop, report, slack);
}

int longest_of(const std::vector<Chain>& chains) {
  int longest = 0;
  for (const Chain& chain : chains) longest = std::max(longest, chain.layer_count());
  return longest;
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
                  const std::stop_token& stop, const ProgressReport& report, double slack) {
  SearchStatistics unread;
  SearchStatistics& counts = statistics ? *statistics : unread;
  const std::vector<Candidate> configurations = configurations_of(chains, space);
  SearchProgress progress{.done = 0, .all = static_cast<int>(configurations.size()), .share = 0};
  if (report) report(progress);
  Frontier frontier;
  // Plans of merged chains are plans of these chains too.
  if (const int longest = longest_of(chains); longest > kDirect)
    frontier = optimize_merged(chains, std::max(kDirect / 2, longest / 3), space, /*statistics=*/nullptr, stop,
                               /*report=*/{}, slack);
  const std::vector<SpanTable> spans(chains.begin(), chains.end());
  for (const Candidate& candidate : configurations) {
    if (stop.stop_requested()) return frontier;
    search_one(
        chains, spans, candidate, space, frontier, counts, stop,
        [&](double share) {
          progress.share = share;
          if (report) report(progress);
        },
        slack);
    if (stop.stop_requested()) return frontier;
    ++progress.done;
    progress.share = 0;
    if (report) report(progress);
  }
  return frontier;
}

Frontier optimize_within(const std::vector<Chain>& chains, const SearchSpace& space, const TimedSearch& timed,
                         Proof& proof, SearchStatistics* statistics, const std::stop_token& stop,
                         const ProgressReport& report) {
  SearchStatistics unread;
  SearchStatistics& counts = statistics ? *statistics : unread;
  const TimeLimit time(timed.limit, stop);
  const std::vector<Candidate> configurations = configurations_of(chains, space);
  SearchProgress progress{.done = 0, .all = static_cast<int>(configurations.size())};
  if (report) report(progress);
  Frontier frontier;
  if (const int longest = longest_of(chains); longest > kDirect)
    frontier = optimize_merged(chains, std::min(timed.coarse_layers, std::max(kDirect / 2, longest / 3)), space,
                               /*statistics=*/nullptr, time.token(), /*report=*/{}, kCoarseSlack);
  const std::vector<SpanTable> spans(chains.begin(), chains.end());
  std::vector<double> proven(configurations.size(), kInfinity);  // By configuration: the slack of its last full round.
  for (const double slack : kSlacks) {
    progress.slack = slack;
    progress.done = 0;
    for (std::size_t i = 0; i < configurations.size() && !time.token().stop_requested(); ++i) {
      search_one(
          chains, spans, configurations[i], space, frontier, counts, time.token(),
          [&](double share) {
            progress.share = share;
            if (report) report(progress);
          },
          slack);
      if (time.token().stop_requested()) break;
      proven[i] = slack;
      ++progress.done;
      progress.share = 0;
      if (report) report(progress);
    }
  }
  proof = {.gap = 0, .open = 0, .all = static_cast<int>(configurations.size()), .open_replicas = {}};
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    if (proven[i] == 0) continue;
    proof.gap = std::max(proof.gap, proven[i]);
    ++proof.open;
    proof.open_replicas.push_back(configurations[i].configuration.replicas);
  }
  std::sort(proof.open_replicas.begin(), proof.open_replicas.end());
  proof.open_replicas.erase(std::unique(proof.open_replicas.begin(), proof.open_replicas.end()),
                            proof.open_replicas.end());
  return frontier;
}

Frontier optimize_merged(const std::vector<Chain>& chains, int layers, const SearchSpace& space,
                         SearchStatistics* statistics, const std::stop_token& stop, const ProgressReport& report,
                         double slack) {
  std::vector<Chain> merged;
  std::vector<std::vector<int>> ends;
  for (const Chain& chain : chains) {
    MergedChain one = merge_layers(chain, layers);
    merged.push_back(std::move(one.chain));
    ends.push_back(std::move(one.ends));
  }
  const Frontier coarse = optimize(merged, space, statistics, stop, report, slack);
  Frontier frontier;
  const std::vector<SpanTable> spans(chains.begin(), chains.end());
  for (Candidate candidate : coarse.points()) {
    for (int& end : candidate.ends) end = ends[candidate.chain][end - 1];
    evaluate(chains[candidate.chain], spans[candidate.chain], space.accounting, candidate);
    frontier.add(std::move(candidate));
  }
  improve(frontier, chains, spans, space.accounting, stop);
  return frontier;
}

}  // namespace funcpipe
