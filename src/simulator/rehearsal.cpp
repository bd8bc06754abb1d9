#include "simulator/rehearsal.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/time_limit.h"
#include "simulator/plan_fleet.h"

namespace funcpipe {
namespace {

// In the first iterations workers learn when objects arrive, token buckets become empty and refused clients find their
// rate; later ones are alike. The last iteration is not counted, since no other overlaps with its end.
constexpr std::int64_t kIterations = 14, kFewest = 7, kSteady = 3;
// A low estimate of how fast any machine builds and plays programs.
constexpr double kOperationsPerSecond = 1e6;

// Returns about how many operations the programs of all workers have.
double operations_of(const Plan& plan) {
  const double pipeline = 8.0 * plan.micro_batch_count() * plan.stage_count();
  const double synchronisation = 4.0 * plan.replicas * (plan.replicas - 1) * plan.stage_count();
  return pipeline + synchronisation;
}

Seconds steady_seconds(const SimulationResult& result) {
  std::vector<Seconds> steady;
  const auto end = static_cast<std::int64_t>(result.iterations.size()) - 1;
  for (std::int64_t i = end - kSteady; i < end; ++i) steady.push_back(result.seconds_of(static_cast<std::size_t>(i)));
  std::nth_element(steady.begin(), steady.begin() + kSteady / 2, steady.end());
  return steady[kSteady / 2];
}

}  // namespace

Result<Rehearsal> rehearse(const PlanningTask& task, const Planning& planning, const PlannedPoint& point, Seconds limit,
                           const std::stop_token& stop) {
  const Plan& plan = point.plan;
  const auto too_long = [&] {
    return fail(ErrorCode::timeout, "playing it takes too long", {}, "play it with funcpipe simulate");
  };
  const double affordable = limit * kOperationsPerSecond / std::max(operations_of(plan), 1.0);
  const auto iterations = static_cast<std::int64_t>(std::min<double>(affordable, kIterations));
  if (iterations < kFewest) return too_long();

  const TimeLimit time(limit, stop);
  auto made = plan_fleet(task, plan, /*keep_programs=*/false, time.token());
  if (!made && time.over()) return too_long();
  FUNCPIPE_TRY(fleet, std::move(made));
  FUNCPIPE_TRY(store, store_model(task.platform, /*drawn=*/false));
  FUNCPIPE_TRY_VOID(check_lifetime(task.platform.limits.lifetime, longest_hand_over(fleet.fleet, store),
                                   fleet.predicted ? fleet.prediction.iteration : 0));
  const SimulationOptions options{.store = store,
                                  .iterations = iterations,
                                  .download_connections = task.connections,
                                  .upload_connections = task.connections,
                                  .lifetime = task.platform.limits.lifetime,
                                  .billing_step = task.platform.prices.billing_step,
                                  .report_every = std::numeric_limits<std::int64_t>::max()};
  auto simulated = simulate(fleet.fleet, options, {}, {}, time.token());
  if (!simulated && time.over()) return too_long();
  FUNCPIPE_TRY(result, std::move(simulated));
  if (result.failure) return tl::unexpected<Error>(*result.failure);

  const std::size_t end = result.iterations.size() - 1, begin = end - kSteady;
  const SimulationResult::Requests &before = result.requests[begin - 1], &after = result.requests[end - 1];
  Rehearsal rehearsal;
  rehearsal.iteration = {.seconds = steady_seconds(result),
                         .puts = static_cast<double>(after.put - before.put) / kSteady,
                         .gets = static_cast<double>(after.get - before.get) / kSteady};
  const Chain& chain = planning.chain_of(point);
  rehearsal.prediction = predict(chain, SpanTable(chain), task.accounting, point.candidate, &rehearsal.iteration);
  return rehearsal;
}

Result<RehearsedChoice> choose_by_rehearsal(const PlanningTask& task, const Planning& planning, Seconds limit,
                                            const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const auto left = [&] {
    return limit - std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const std::size_t plans = planning.frontier.size();
  RehearsedChoice choice{.chosen = planning.chosen,
                         .rehearsals = std::vector<std::optional<Rehearsal>>(plans),
                         .failures = std::vector<std::optional<Error>>(plans)};
  std::vector<Outcome> outcomes;
  for (const PlannedPoint& point : planning.frontier) outcomes.push_back(outcome_of(point, task.accounting));
  // The default weights are those of the predicted figures, so that playing one plan does not change how others
  // compare.
  const Objective objective = with_weights(task.objective, outcomes);
  constexpr double kNever = 1e100;  // Not infinity, which times a weight of 0 is NaN.
  std::size_t ended_early = 0;
  while (true) {
    if (ended_early == plans) return tl::unexpected<Error>(*choice.failures.front());
    FUNCPIPE_TRY(best, choose(outcomes, objective));
    choice.chosen = best;
    if (choice.rehearsals[best]) return choice;
    if (choice.failures[best]) return choice;  // There was no time to play it, and no plan that was played is better.
    auto played = rehearse(task, planning, planning.frontier[best], left(), stop);
    if (!played && played.error().code == ErrorCode::cancelled) return tl::unexpected(std::move(played.error()));
    if (played) {
      PlannedPoint as_played = planning.frontier[best];
      as_played.prediction = played->prediction;
      outcomes[best] = outcome_of(as_played, task.accounting);
      choice.rehearsals[best] = std::move(*played);
      continue;
    }
    choice.failures[best] = std::move(played.error());
    if (choice.failures[best]->code == ErrorCode::timeout) continue;
    outcomes[best] = {kNever, kNever, kNever, kNever};
    ++ended_early;
  }
}

}  // namespace funcpipe
