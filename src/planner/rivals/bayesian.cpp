#include "planner/rivals/bayesian.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "planner/rivals/gaussian_process.h"

namespace funcpipe {
namespace {

constexpr int kOffered = 300;   // Plans drawn before each trial, of which the most promising is tried.
constexpr int kSamples = 8;     // Points along the chain and along the stages at which a plan is described.
constexpr double kUnfit = 0.3;  // Logarithm by which a plan that does not fit is worse than the worst that does.

class Sampler {
 public:
  Sampler(const std::vector<Chain>& chains, const SearchSpace& space, const BayesianSearch& search)
      : chains_(chains), space_(space), most_stages_(search.most_stages), random_(search.seed) {}

  Candidate draw() {
    Candidate plan;
    plan.chain = below(std::ssize(chains_));
    set_replicas(plan);
    plan.configuration.sync = space_.syncs[below(std::ssize(space_.syncs))];
    const int layers = chains_[plan.chain].layer_count();
    const int stages = 1 + below(std::min(most_stages_, layers));
    std::set<int> ends = {layers};
    while (std::ssize(ends) < stages) ends.insert(1 + below(layers - 1));
    plan.ends.assign(ends.begin(), ends.end());
    for (int k = 0; k < stages; ++k) plan.options.push_back(any_option(plan));
    return plan;
  }

  // Returns `plan` with one decision changed at random.
  Candidate near(Candidate plan) {
    const int stages = static_cast<int>(plan.ends.size()), k = below(stages);
    const int layers = chains_[plan.chain].layer_count();
    switch (below(5)) {
      case 0:
        set_replicas(plan);
        break;
      case 1:
        plan.options[k] = any_option(plan);
        break;
      case 2:  // a cut moved
        if (k + 1 < stages) {
          const int first = k == 0 ? 0 : plan.ends[k - 1];
          plan.ends[k] = first + 1 + below(plan.ends[k + 1] - first - 1);
        }
        break;
      case 3:  // a stage split
        if (const int first = k == 0 ? 0 : plan.ends[k - 1]; stages < most_stages_ && plan.ends[k] - first > 1) {
          plan.ends.insert(plan.ends.begin() + k, first + 1 + below(plan.ends[k] - first - 1));
          plan.options.insert(plan.options.begin() + k, any_option(plan));
        }
        break;
      default:  // two stages joined
        if (stages > 1) {
          plan.ends.erase(plan.ends.begin() + k);
          plan.options.erase(plan.options.begin() + k);
          plan.ends.back() = layers;
        }
    }
    return plan;
  }

  // Returns a vector of fixed length that describes the plan; its figures are about 0 to 1.
  Eigen::VectorXd describe(const Candidate& plan) const {
    const Chain& chain = chains_[plan.chain];
    const double layers = chain.layer_count(), stages = static_cast<double>(plan.ends.size());
    std::vector<double> figures = {
        chains_.size() > 1 ? plan.chain / (chains_.size() - 1.0) : 0.0,
        std::log2(plan.configuration.replicas) / 5,
        plan.configuration.sync == space_.syncs.front() ? 0.0 : 0.5,
        stages / most_stages_,
    };
    const bool with_vcpus = std::ranges::any_of(chain.options, &ChainOption::names_vcpus);
    for (int i = 1; i <= kSamples; ++i) {
      // The layer that a share of the stages reaches, and the function size at that share of the layers.
      const double share = i / (kSamples + 1.0), at = share * stages;
      const int whole = static_cast<int>(at);
      const double from = whole == 0 ? 0 : plan.ends[whole - 1];
      figures.push_back((from + (at - whole) * (plan.ends[whole] - from)) / layers);
      const auto stage = std::upper_bound(plan.ends.begin(), plan.ends.end(), share * layers) - plan.ends.begin();
      const ChainOption& option = chain.options[plan.options[stage]];
      figures.push_back(std::log2(option.memory_mb / 1024.0) / 4);
      if (with_vcpus) figures.push_back(std::log2(option.vcpus) / 4);
    }
    return Eigen::Map<Eigen::VectorXd>(figures.data(), static_cast<Eigen::Index>(figures.size()));
  }

 private:
  int below(std::ptrdiff_t count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  int any_option(const Candidate& plan) { return below(std::ssize(chains_[plan.chain].options)); }
  void set_replicas(Candidate& plan) {
    const int size = chains_[plan.chain].micro_batch;
    const int micro_batches = (space_.global_batch + size - 1) / size;
    std::vector<int> possible;
    for (const int replicas : space_.replicas)
      if (replicas <= micro_batches) possible.push_back(replicas);
    // Draws evenly on a logarithmic scale.
    const double most = std::log2(possible.back() + 1.0);
    const double drawn = std::exp2(most * below(1 << 20) / (1 << 20));
    const auto at = std::upper_bound(possible.begin(), possible.end(), drawn);
    plan.configuration.micro_batches = micro_batches;
    plan.configuration.last = last_share(space_.global_batch, size);
    plan.configuration.replicas = at == possible.begin() ? possible.front() : *std::prev(at);
  }

  const std::vector<Chain>& chains_;
  const SearchSpace& space_;
  int most_stages_;
  std::mt19937_64 random_;
};

bool fits(const Chain& chain, const StageCosts& costs, const Candidate& plan) {
  if (std::ssize(plan.ends) * plan.configuration.replicas > chain.limits.concurrency) return false;
  for (std::size_t k = 0; k < plan.ends.size(); ++k)
    if (!costs.fits(k == 0 ? 0 : plan.ends[k - 1], plan.ends[k], plan.options[k])) return false;
  return true;
}

}  // namespace

Frontier bayesian(const std::vector<Chain>& chains, const SearchSpace& space, const BayesianSearch& search) {
  Sampler sampler(chains, space, search);
  const std::vector<SpanTable> spans(chains.begin(), chains.end());

  Frontier frontier;
  std::vector<Candidate> tried;
  std::vector<Eigen::VectorXd> points;
  std::vector<double> values;  // Logarithms; infinity if the plan does not fit.
  int best = -1;
  for (int trial = 0; trial < search.trials; ++trial) {
    Candidate plan = sampler.draw();
    if (trial >= search.random_trials && best >= 0) {
      double worst = values[best];
      for (const double value : values)
        if (value < kInfinity) worst = std::max(worst, value);
      Eigen::MatrixXd rows(trial, points.front().size());
      Eigen::VectorXd seen(trial);
      for (int i = 0; i < trial; ++i) {
        rows.row(i) = points[i];
        seen(i) = std::min(values[i], worst + kUnfit);
      }
      const GaussianProcess process(std::move(rows), seen);
      double most = process.expected_improvement(sampler.describe(plan));
      for (int i = 1; i < kOffered; ++i) {
        Candidate other = i % 2 == 0 ? sampler.draw() : sampler.near(tried[best]);
        const double improvement = process.expected_improvement(sampler.describe(other));
        if (improvement <= most) continue;
        most = improvement;
        plan = std::move(other);
      }
    }
    const Chain& chain = chains[plan.chain];
    double value = kInfinity;
    if (fits(chain, StageCosts(chain, spans[plan.chain], plan.configuration, space.accounting), plan)) {
      evaluate(chain, spans[plan.chain], space.accounting, plan);
      value = std::log(search.cost_weight * plan.dollars + search.time_weight * plan.period);
      frontier.add(plan);
    }
    points.push_back(sampler.describe(plan));
    values.push_back(value);
    tried.push_back(std::move(plan));
    if (value < (best < 0 ? kInfinity : values[best])) best = trial;
  }
  return frontier;
}

}  // namespace funcpipe
