#include "bench/rivals.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "planner/merge.h"
#include "planner/random_chain.h"
#include "planner/rivals/bayesian.h"
#include "planner/rivals/data_parallel.h"
#include "planner/rivals/tpdmp.h"

namespace funcpipe {
namespace {

constexpr int kLayers = 30;  // chains are merged to

// A made-up chain at micro-batches of 4, 8, 16, ... samples: what depends on them is in proportion.
std::vector<Chain> made_up(int batch) {
  std::mt19937_64 random(1);
  const Chain smallest = merge_layers(smooth_chain(random, 304, 8), kLayers).chain;
  std::vector<Chain> chains;
  for (int factor = 1; 4 * factor <= std::min(batch, 32); factor *= 2) {
    Chain chain = smallest;
    chain.micro_batch *= factor;
    for (ChainLayer& layer : chain.layers)
      for (double* bytes : {&layer.activations, &layer.working, &layer.border, &layer.border_gradient})
        *bytes *= factor;
    for (auto* direction : {&chain.forward, &chain.backward})
      for (auto& option : *direction)
        for (Seconds& seconds : option) seconds *= factor;
    chains.push_back(std::move(chain));
  }
  return chains;
}

Result<std::vector<Chain>> profiled(const std::string& file, int batch) {
  const Result<Profile> profile = load_profile(file);
  if (!profile) return tl::unexpected(profile.error());
  const Result<Platform> platform = load_platform(profile->platform);
  if (!platform) return tl::unexpected(platform.error());
  std::vector<Chain> chains;
  for (int micro_batch = 1; micro_batch <= std::min(batch, 32); micro_batch *= 2) {
    Result<Chain> chain = make_chain(*profile, *platform, micro_batch, {}, 4);
    if (!chain) return tl::unexpected(chain.error());
    chains.push_back(merge_layers(*chain, kLayers).chain);
  }
  return chains;
}

Seconds fastest_within(const Frontier& frontier, Dollars dollars) {
  for (const Candidate& point : frontier.points())
    if (point.dollars <= dollars * (1 + 1e-9)) return point.period;
  return kInfinity;
}

// The rival's point of least seconds x dollars, beside what we have for its money and in its time.
void row(const std::string& model, int batch, const char* name, const Frontier& ours, const Frontier& rival) {
  const Candidate* point = nullptr;
  int better = 0;
  for (const Candidate& one : rival.points()) {
    if (!point || one.period * one.dollars < point->period * point->dollars) point = &one;
    better += ours.cheapest_within(one.period * (1 + 1e-9)) > one.dollars * (1 + 1e-9) ? 1 : 0;
  }
  if (!point) {
    fmt::print("| {:<12} | {:>5} | {:<11} | nothing fits |\n", model, batch, name);
    return;
  }
  const Seconds seconds = fastest_within(ours, point->dollars);
  const Dollars dollars = ours.cheapest_within(point->period * (1 + 1e-9));
  fmt::print("| {:<12} | {:>5} | {:<11} | {:>7.2f} s, {:>8.3f} | {:>12} | {:>10} | {:>2} of {:<2} |\n", model, batch,
             name, point->period, 1000 * point->dollars,
             seconds < kInfinity ? fmt::format("{:.2f}x", point->period / seconds) : "none",
             dollars < kInfinity ? fmt::format("{:.0f}%", 100 * (1 - dollars / point->dollars)) : "none", better,
             rival.points().size());
}

void compare(const std::string& model, int batch, const std::vector<Chain>& chains, const ParameterServer& server) {
  SearchSpace space{.global_batch = batch};
  for (int replicas = 1; replicas <= 32; ++replicas) space.replicas.push_back(replicas);
  const Frontier ours = optimize(chains, space);
  row(model, batch, "LambdaML", ours, lambda_ml(chains, space, LocalBatch::whole));
  row(model, batch, "LambdaML-GA", ours, lambda_ml(chains, space, LocalBatch::accumulated));
  row(model, batch, "HybridPS", ours, hybrid_ps(chains, space, LocalBatch::whole, server));
  row(model, batch, "HybridPS-GA", ours, hybrid_ps(chains, space, LocalBatch::accumulated, server));
  row(model, batch, "TPDMP", ours, tpdmp(chains, space));
  // Each trial counts: one search for each of three objectives.
  Frontier bayes;
  if (!ours.points().empty()) {
    const double seconds = ours.points().front().period, dollars = ours.points().back().dollars;
    for (const double share : {0.0, 0.5, 1.0}) {
      const BayesianSearch search{.cost_weight = share / dollars, .time_weight = (1 - share) / seconds};
      const Frontier found = bayesian(chains, space, search);
      for (const Candidate& point : found.points()) bayes.add(point);
    }
  }
  row(model, batch, "Bayesian", ours, bayes);
}

}  // namespace

int bench_rivals(const std::vector<std::string>& profiles) {
  const Result<ParameterServer> server = load_parameter_server("c5.9xlarge");
  if (!server) {
    fmt::print(stderr, "{}\n", describe(server.error()));
    return 2;
  }
  fmt::print(
      "| model        | batch | rival       | its best: 1/1000 dollars | ours: faster | cheaper    | beat us  |\n");
  fmt::print(
      "|--------------|-------|-------------|--------------------------|--------------|------------|----------|\n");
  for (const int batch : {16, 64, 256}) {
    if (profiles.empty()) compare("made up", batch, made_up(batch), *server);
    for (const std::string& file : profiles) {
      const Result<std::vector<Chain>> chains = profiled(file, batch);
      if (!chains) {
        fmt::print(stderr, "{}\n", describe(chains.error()));
        return 2;
      }
      compare(std::filesystem::path(file).stem().string(), batch, *chains, *server);
    }
  }
  return 0;
}

}  // namespace funcpipe
