// All rivals in the same frame: what they reach, the search reaches too.
#include <gtest/gtest.h>

#include "planner/random_chain.h"
#include "planner/rivals/bayesian.h"
#include "planner/rivals/data_parallel.h"
#include "planner/rivals/tpdmp.h"

namespace funcpipe {
namespace {

// The chain at a micro-batch `factor` times as large.
Chain enlarged(Chain chain, int factor) {
  chain.micro_batch *= factor;
  for (ChainLayer& layer : chain.layers)
    for (double* bytes : {&layer.activations, &layer.working, &layer.border, &layer.border_gradient}) *bytes *= factor;
  for (auto* direction : {&chain.forward, &chain.backward})
    for (auto& option : *direction)
      for (Seconds& seconds : option) seconds *= factor;
  return chain;
}

std::vector<Chain> at_all_sizes(const Chain& chain, int global_batch) {
  std::vector<Chain> chains;
  for (int factor = 1; factor * chain.micro_batch <= global_batch && factor <= 8; factor *= 2)
    chains.push_back(enlarged(chain, factor));
  return chains;
}

void expect_not_beaten(const Frontier& ours, const Frontier& rival, const char* name) {
  for (const Candidate& point : rival.points()) {
    EXPECT_LE(ours.cheapest_within(point.period * (1 + 1e-9)), point.dollars * (1 + 1e-9))
        << name << ": " << point.period << " s, $" << point.dollars << ", " << point.configuration.replicas
        << " replicas with " << point.configuration.most_micro_batches() << " micro-batches";
  }
}

// What rivals reach by the same means, functions and storage alone.
void expect_best_of_functions(const Frontier& ours, const std::vector<Chain>& chains, const SearchSpace& space) {
  expect_not_beaten(ours, lambda_ml(chains, space, LocalBatch::whole), "LambdaML");
  expect_not_beaten(ours, lambda_ml(chains, space, LocalBatch::accumulated), "LambdaML-GA");
  expect_not_beaten(ours, tpdmp(chains, space), "TPDMP");
  for (const double cost_weight : {0.0, 100.0, 1e9})
    expect_not_beaten(ours, bayesian(chains, space, {.trials = 50, .cost_weight = cost_weight, .time_weight = 1}),
                      "Bayesian");
}

TEST(Rivals, NoneBeatsTheFrontierOfChainsLikeRealModels) {
  for (const int batch : {16, 64, 256}) {
    for (int seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(testing::Message() << "batch " << batch << ", seed " << seed);
      std::mt19937_64 random(seed);
      SearchSpace space{.global_batch = batch};
      for (int replicas = 1; replicas <= 32; ++replicas) space.replicas.push_back(replicas);
      const std::vector<Chain> chains = at_all_sizes(smooth_chain(random, 20, 6), batch);
      const Frontier ours = optimize(chains, space);
      expect_best_of_functions(ours, chains, space);
      const Result<ParameterServer> server = load_parameter_server("c5.9xlarge");
      ASSERT_TRUE(server) << describe(server.error());
      expect_not_beaten(ours, hybrid_ps(chains, space, LocalBatch::whole, *server), "HybridPS");
      expect_not_beaten(ours, hybrid_ps(chains, space, LocalBatch::accumulated, *server), "HybridPS-GA");
    }
  }
}

TEST(Rivals, NoneBeatsTheFrontierOfRandomChains) {
  for (const int batch : {16, 64, 256}) {
    for (int seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(testing::Message() << "batch " << batch << ", seed " << seed);
      std::mt19937_64 random(seed);
      SearchSpace space{.global_batch = batch, .replicas = {1, 2, 3, 4, 8, 16, 32, 64}};
      const std::vector<Chain> chains = at_all_sizes(random_chain(random, 2 + seed % 7, 3), batch);
      expect_best_of_functions(optimize(chains, space), chains, space);
    }
  }
}

}  // namespace
}  // namespace funcpipe
