#include "comparison/play.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "schedule/validate.h"

namespace funcpipe {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();  // Workers report only at the end.
constexpr Seconds kWaitLimit = 1e5;                                        // So large that slow plans do not fail.

// The predicted requests of one iteration: those of the job without those at starts and ends.
struct Requests {
  double puts = 0, gets = 0;
};
Requests predicted_requests(const Prediction& prediction, const Plan& plan, std::int64_t iterations) {
  const Usage& usage = prediction.usage;
  const auto restarts = static_cast<double>(usage.invocations - plan.worker_count());
  const auto count = static_cast<double>(iterations);
  return {.puts = (static_cast<double>(usage.put) - plan.stage_count() - restarts) / count,
          .gets = (static_cast<double>(usage.get) - 3 * static_cast<double>(usage.invocations)) / count};
}

double vcpus_of(const Platform& platform, const StagePlan& stage) {
  return platform.size(stage.memory_mb, stage.vcpus)->vcpus;
}

Result<SimulationResult> simulated(const SimulatedFleet& fleet, const SimulationOptions& options,
                                   std::stop_token stop) {
  FUNCPIPE_TRY(result, simulate(fleet, options, {}, {}, std::move(stop)));
  if (result.failure) return tl::unexpected(std::move(*result.failure));
  return result;
}

}  // namespace

Result<SimulationOptions> play_options(const Ground& ground, const Plan& plan, std::int64_t iterations,
                                       bool unlimited) {
  FUNCPIPE_TRY(platform, platform_for(plan, ground.platform));  // A parameter server is the store of its functions.
  FUNCPIPE_TRY(store, store_model(platform, /*drawn=*/false));
  if (unlimited) {
    constexpr double kUnlimited = StoreModel::kUnlimited;
    store.most_up = store.most_down = store.put_rate = store.get_rate = store.request_rate = kUnlimited;
  }
  return SimulationOptions{.store = store,
                           .iterations = iterations,
                           .download_connections = ground.connections,
                           .upload_connections = ground.connections,
                           .lifetime = ground.platform.limits.lifetime,
                           .billing_step = ground.platform.prices.billing_step,
                           .wait_limit = kWaitLimit,
                           .report_every = kNever,
                           .seed = ground.seed};
}

Seconds steady_seconds(const SimulationResult& result) {
  std::vector<Seconds> steady;
  for (std::size_t end = result.iterations.size() - 1, i = end - 3; i < end; ++i)
    steady.push_back(result.seconds_of(i));
  std::nth_element(steady.begin(), steady.begin() + std::ssize(steady) / 2, steady.end());
  return steady[steady.size() / 2];
}

Result<PlayedPlan> play(const Ground& ground, int batch, const Proposal& proposal, std::stop_token stop) {
  const Plan& plan = proposal.plan;
  FUNCPIPE_TRY(made, plan_fleet(ground.task(batch), plan, /*keep_programs=*/false, stop));
  FUNCPIPE_TRY(options, play_options(ground, plan, kPlayedIterations));
  FUNCPIPE_TRY(job, simulated(made.fleet, options, stop));

  const Prediction& prediction = made.prediction;
  PlayedPlan played{
      .plan = plan, .predicted_seconds = prediction.iteration, .predicted_dollars = prediction.iteration_dollars};
  played.seconds = steady_seconds(job);
  for (const StagePrediction& stage : prediction.stages) played.computing = std::max(played.computing, stage.busy);
  double rate = 0;  // Dollars a second of all workers.
  // A plan with a server is predicted by the rival's own formula (planner/rivals/data_parallel.h); its requests are
  // free.
  if (plan.has_server()) {
    for (const StagePlan& stage : plan.stages)
      rate +=
          plan.replicas * compute_price(ground.platform.prices, stage.memory_mb, vcpus_of(ground.platform, stage), 1);
    rate += ground.server.per_second;
    played.predicted_seconds = proposal.seconds;
    played.predicted_dollars = proposal.dollars;
    played.dollars = proposal.dollars + rate * (played.seconds - proposal.seconds);
    return played;
  }
  for (const StagePrediction& stage : prediction.stages) rate += stage.cost.rate;
  const Requests predicted = predicted_requests(prediction, plan, ground.iterations);
  const Prices& prices = ground.platform.prices;
  // Requests are counted between the ends of two steady iterations. Reports, which come every few iterations, are added
  // by their mean number.
  const SimulationResult::Requests &before = job.requests[kFirstSteady - 1], &after = job.requests[kEndSteady - 1];
  const double iterations = kEndSteady - kFirstSteady;
  const double reports = plan.replicas / static_cast<double>(SimulationOptions{}.report_every);
  played.dollars = prediction.iteration_dollars + rate * (played.seconds - prediction.iteration) +
                   prices.put * (static_cast<double>(after.put - before.put) / iterations + reports - predicted.puts) +
                   prices.get * (static_cast<double>(after.get - before.get) / iterations - predicted.gets);
  return played;
}

Result<Shares> shares_of(const Ground& ground, int batch, const Plan& plan, std::stop_token stop) {
  FUNCPIPE_TRY(made, plan_fleet(ground.task(batch), plan, /*keep_programs=*/true, stop));
  FUNCPIPE_TRY(options, play_options(ground, plan, kPlayedIterations));
  std::vector<std::vector<OpEvent>> events(made.programs.size());
  const auto keep = [&](int worker, const OpEvent& event) {
    if (event.iteration >= kFirstSteady) events[static_cast<std::size_t>(worker)].push_back(event);
  };
  FUNCPIPE_TRY(result, simulate(made.fleet, options, keep, {}, std::move(stop)));
  if (result.failure) return tl::unexpected(std::move(*result.failure));
  const Played played(std::move(made.programs), events, {1, ground.connections, ground.connections});
  // The span is the last steady iteration.
  const IterationRange steady = played.steady();
  const Seconds from = *played.updated(steady.end - 2), to = *played.updated(steady.end - 1);
  return utilisation(played, from, to).shares();
}

}  // namespace funcpipe
