#include "planner/local_search.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace funcpipe {
namespace {

class LocalSearch {
 public:
  LocalSearch(Frontier& frontier, const std::vector<Chain>& chains, const std::vector<SpanTable>& spans,
              const std::vector<Candidate>& configurations, const SearchSpace& space)
      : frontier_(frontier), chains_(chains), spans_(spans), configurations_(configurations), space_(space) {}

  // Whether any change of `start` was better than what there was.
  bool around(const Candidate& start) {
    found_ = false;
    for (std::size_t k = 0; k < start.ends.size(); ++k) {
      change_size(start, k);
      if (k + 1 < start.ends.size()) {
        move_cut(start, k);
        join(start, k);
      }
      split(start, k);
    }
    if (start.configuration.order == PipelineOrder::gpipe) change_configuration(start);
    return found_;
  }

 private:
  int first_layer(const Candidate& plan, std::size_t k) const { return k == 0 ? 0 : plan.ends[k - 1]; }
  int options(const Candidate& plan) const { return static_cast<int>(chains_[plan.chain].options.size()); }

  void change_size(const Candidate& start, std::size_t k) {
    for (int option = 0; option < options(start); ++option) {
      Candidate changed = start;
      changed.options[k] = option;
      attempt(std::move(changed));
    }
  }

  void move_cut(const Candidate& start, std::size_t k) {
    for (int end = first_layer(start, k) + 1; end < start.ends[k + 1]; ++end) {
      Candidate moved = start;
      moved.ends[k] = end;
      attempt(std::move(moved));
    }
  }

  // Stage k and the one after it as one, on any size.
  void join(const Candidate& start, std::size_t k) {
    const auto at = static_cast<std::ptrdiff_t>(k);
    Candidate joined = start;
    joined.ends.erase(joined.ends.begin() + at);
    joined.options.erase(joined.options.begin() + at);
    for (int option = 0; option < options(start); ++option) {
      joined.options[k] = option;
      attempt(joined);
    }
  }

  void split(const Candidate& start, std::size_t k) {
    if (start.configuration.order != PipelineOrder::gpipe) return;  // the other one is of one stage
    const auto at = static_cast<std::ptrdiff_t>(k);
    for (int cut = first_layer(start, k) + 1; cut < start.ends[k]; ++cut) {
      Candidate two = start;
      two.ends.insert(two.ends.begin() + at, cut);
      two.options.insert(two.options.begin() + at, start.options[k]);
      attempt(std::move(two));
    }
  }

  void change_configuration(const Candidate& start) {
    for (const Candidate& other : configurations_) {
      Candidate changed = start;
      changed.chain = other.chain;
      changed.configuration = other.configuration;
      attempt(std::move(changed));
    }
  }

  void attempt(Candidate candidate) {
    const Chain& chain = chains_[candidate.chain];
    const auto stages = static_cast<int>(candidate.ends.size());
    if (space_.most_stages > 0 && stages > space_.most_stages) return;
    if (stages * candidate.configuration.replicas > chain.limits.concurrency) return;
    const StageCosts costs(chain, spans_[candidate.chain], candidate.configuration, space_.accounting);
    for (std::size_t k = 0; k < candidate.ends.size(); ++k)
      if (!costs.fits(first_layer(candidate, k), candidate.ends[k], candidate.options[k])) return;
    evaluate(chain, spans_[candidate.chain], space_.accounting, candidate);
    if (!frontier_.admits(candidate.period, candidate.dollars)) return;
    frontier_.add(std::move(candidate));
    found_ = true;
  }

  Frontier& frontier_;
  const std::vector<Chain>& chains_;
  const std::vector<SpanTable>& spans_;
  const std::vector<Candidate>& configurations_;
  const SearchSpace& space_;
  bool found_ = false;
};

}  // namespace

// All that are to be searched, as candidates without stages.
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

void improve(Frontier& frontier, const std::vector<Chain>& chains, const std::vector<SpanTable>& spans,
             const std::vector<Candidate>& configurations, const SearchSpace& space, const std::stop_token& stop) {
  LocalSearch near(frontier, chains, spans, configurations, space);
  std::vector<Candidate> tried;  // what lies around these is known
  for (bool found = true; found;) {
    found = false;
    for (const Candidate& start : std::vector<Candidate>(frontier.points())) {
      if (stop.stop_requested()) return;
      if (std::ranges::find(tried, start) != tried.end()) continue;
      found = near.around(start) || found;
      tried.push_back(start);
    }
  }
}

}  // namespace funcpipe
