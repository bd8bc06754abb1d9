#include "planner/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/counted.h"
#include "base/time_limit.h"
#include "planner/infeasible.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

constexpr int kMostReplicas = 32;  // Unless the user asks for more.

tl::unexpected<Error> refuse(std::string message, std::string hint = {}) {
  return fail(ErrorCode::invalid_input, std::move(message), {}, std::move(hint));
}

void sort_and_unify(std::vector<int>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

Result<std::vector<int>> micro_batches_of(const PlanningTask& task) {
  std::vector<int> sizes = task.micro_batches;
  if (sizes.empty()) {
    for (const MicroBatchProfile& profiled : task.profile.micro_batches)
      if (profiled.micro_batch <= task.global_batch) sizes.push_back(profiled.micro_batch);
    if (sizes.empty()) sizes.push_back(task.global_batch);
  }
  sort_and_unify(sizes);
  if (sizes.front() < 1 || sizes.back() > task.global_batch)
    return refuse(fmt::format("a micro-batch has from 1 to {} samples, the global batch, not {}", task.global_batch,
                              sizes.front() < 1 ? sizes.front() : sizes.back()));
  return sizes;
}

Result<std::vector<int>> replicas_of(const PlanningTask& task, int most_micro_batches) {
  std::vector<int> replicas = task.replicas;
  const int most = std::min(most_micro_batches, task.platform.limits.concurrency);
  if (replicas.empty()) {
    replicas.resize(std::clamp(most, 1, kMostReplicas));
    std::iota(replicas.begin(), replicas.end(), 1);
    return replicas;
  }
  sort_and_unify(replicas);
  if (replicas.front() < 1) return refuse(fmt::format("there is at least 1 replica, not {}", replicas.front()));
  if (replicas.front() > most_micro_batches)
    return refuse(fmt::format("{} replicas need as many micro-batches, and a batch of {} has at most {}",
                              replicas.front(), task.global_batch, most_micro_batches),
                  "take fewer replicas, smaller micro-batches or a larger batch");
  return replicas;
}

PlannedPoint point_of(const PlanningTask& task, const Chain& chain, const SpanTable& spans, Candidate candidate) {
  PlannedPoint point;
  point.plan = plan_of(candidate, chain, task.profile.model, task.global_batch);
  point.prediction = predict(chain, spans, task.accounting, candidate);
  for (std::size_t k = 0; k < point.plan.stages.size(); ++k) {
    StagePlan& stage = point.plan.stages[k];
    const Span& span = spans.at(stage.first_layer, stage.end_layer);
    stage.peak_bytes =
        point.prediction.stages[k].memory - static_cast<Bytes>(span.trainable) * task.state.optimizer_copies -
        (span.reads_input ? task.state.input_cache : 0) - (span.reads_target ? task.state.target_cache : 0);
  }
  point.candidate = std::move(candidate);
  return point;
}

Result<> check_memory(const Chain& chain, const SpanTable& spans, const Candidate& candidate,
                      const Accounting& accounting) {
  const StageCosts costs(chain, spans, candidate.configuration, accounting);
  for (std::size_t k = 0; k < candidate.ends.size(); ++k) {
    const int first = k == 0 ? 0 : candidate.ends[k - 1], end = candidate.ends[k], option = candidate.options[k];
    if (costs.fits(first, end, option)) continue;
    const auto needed = static_cast<Bytes>(costs.memory(first, end));
    std::string message = fmt::format("stage {} does not fit its function of {} in micro-batches of {} with {}: ", k,
                                      in_words(chain.options[option].choice()), chain.micro_batch,
                                      counted(candidate.configuration.replicas, "replica"));
    message += needed > chain.options[option].memory_mb * kMiB
                   ? fmt::format("it needs {}", format_bytes(needed))
                   : std::string("one of its layers was too large for that size when it was profiled");
    for (int larger = 0; larger < std::ssize(chain.options); ++larger)
      if (costs.fits(first, end, larger))
        return refuse(std::move(message),
                      fmt::format("give it {}, or fewer layers", in_words(chain.options[larger].choice())));
    return refuse(std::move(message), "no size profiled holds it: give it fewer layers");
  }
  return {};
}

// Checks a plan except for its memory, because the profile tells more about that than validate() knows.
Result<> check_plan(const PlanningTask& task, const Plan& plan) {
  if (plan.global_batch != task.global_batch)
    return refuse(fmt::format("the plan is for a global batch of {}, not {}", plan.global_batch, task.global_batch),
                  fmt::format("plan with --batch {}, or change the plan's global_batch", plan.global_batch));
  Platform roomy = task.platform;
  roomy.limit_memory = false;
  return validate(plan, task.profile.model, roomy, task.state);
}

}  // namespace

Outcome outcome_of(const PlannedPoint& point, const Accounting& accounting) {
  const Prediction& prediction = point.prediction;
  return {.iteration = prediction.iteration,
          .iteration_dollars = prediction.iteration_dollars,
          .training = prediction.training,
          .dollars = accounting.cost_model == CostModel::bill
                         ? prediction.dollars
                         : prediction.iteration_dollars * static_cast<double>(accounting.iterations)};
}

Result<Choices> choices_of(const PlanningTask& task) {
  if (task.global_batch < 1) return refuse(fmt::format("a batch has at least 1 sample, not {}", task.global_batch));
  if (task.accounting.iterations < 1)
    return refuse(fmt::format("a training has at least 1 iteration, not {}", task.accounting.iterations));
  FUNCPIPE_TRY(micro_batches, micro_batches_of(task));
  const int most = (task.global_batch - 1) / micro_batches.front() + 1;
  FUNCPIPE_TRY(replicas, replicas_of(task, most));
  return Choices{std::move(micro_batches),
                 {.global_batch = task.global_batch,
                  .replicas = std::move(replicas),
                  .syncs = task.syncs,
                  .accounting = task.accounting}};
}

Result<Planning> plan_training(const PlanningTask& task, const std::stop_token& stop, const ProgressReport& report) {
  const auto begin = std::chrono::steady_clock::now();
  FUNCPIPE_TRY(choices, choices_of(task));
  Planning planning;
  for (const int micro_batch : choices.micro_batches) {
    FUNCPIPE_TRY(chain, make_chain(task.profile, task.platform, micro_batch, task.state, task.connections));
    planning.chains.push_back(std::move(chain));
  }
  const bool merge = task.most_layers > 0 && task.profile.layer_count() > task.most_layers;
  planning.merged_layers = merge ? task.most_layers : 0;
  Frontier frontier;
  if (merge) {
    const TimeLimit time(task.time_limit, stop);
    frontier =
        optimize_merged(planning.chains, task.most_layers, choices.space, &planning.statistics, time.token(), report);
    planning.proof = {.gap = kInfinity, .open = 1, .all = 1, .open_replicas = {}};
  }
  // A merged layer may be too large although its parts are not.
  if (frontier.points().empty()) {
    planning.merged_layers = 0;
    frontier = optimize_within(planning.chains, choices.space, {.limit = task.time_limit}, planning.proof,
                               &planning.statistics, stop, report);
  }
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
  if (frontier.points().empty() && !planning.proof.exact())
    return refuse(fmt::format("no plan was found within {}", format_seconds(task.time_limit)),
                  "give the search more time (--time-limit), or merge layers (--layers 30)");
  if (frontier.points().empty()) return tl::unexpected(explain_infeasible(task, planning.chains, choices.space));

  std::vector<SpanTable> spans;
  for (const Chain& chain : planning.chains) spans.emplace_back(chain);
  std::vector<Outcome> outcomes;
  for (const Candidate& candidate : frontier.points()) {
    planning.frontier.push_back(point_of(task, planning.chains[candidate.chain], spans[candidate.chain], candidate));
    outcomes.push_back(outcome_of(planning.frontier.back(), task.accounting));
  }
  planning.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  FUNCPIPE_TRY(chosen, choose(outcomes, task.objective));
  planning.chosen = chosen;
  return planning;
}

Result<Judgement> judge(const PlanningTask& task, const Plan& plan) {
  FUNCPIPE_TRY_VOID(check_plan(task, plan));
  Plan sized = plan;
  for (StagePlan& stage : sized.stages) {
    if (stage.memory_mb == 0) stage.memory_mb = task.platform.sizes.back().memory_mb;
    stage.vcpus = task.platform.choice(*task.platform.size(stage.memory_mb, stage.vcpus)).vcpus;
  }
  FUNCPIPE_TRY(chain, make_chain(task.profile, task.platform, plan.micro_batch, task.state, task.connections));
  FUNCPIPE_TRY(candidate, candidate_of(chain, sized));
  const SpanTable spans(chain);
  FUNCPIPE_TRY_VOID(check_memory(chain, spans, candidate, task.accounting));
  evaluate(chain, spans, task.accounting, candidate);
  PlannedPoint point = point_of(task, chain, spans, std::move(candidate));
  return Judgement{std::move(chain), std::move(point)};
}

Result<Judgement> judge_cuts(const PlanningTask& task, const std::vector<StagePlan>& stages) {
  FUNCPIPE_TRY(choices, choices_of(task));
  Plan plan;
  plan.model = task.profile.model.source;
  plan.stages = stages;
  plan.global_batch = task.global_batch;
  std::vector<Judgement> judged;
  std::vector<Outcome> outcomes;
  Error error{ErrorCode::invalid_input, "no number of replicas leaves each of them a micro-batch", {}, {}};
  for (const int micro_batch : choices.micro_batches) {
    plan.micro_batch = micro_batch;
    for (const int replicas : choices.space.replicas) {
      plan.replicas = replicas;
      if (replicas > plan.micro_batch_count()) continue;
      for (const SyncAlgorithm sync : task.syncs) {
        plan.sync = sync;
        auto one = judge(task, plan);
        if (!one) {
          error = std::move(one.error());
          continue;
        }
        outcomes.push_back(outcome_of(one->point, task.accounting));
        judged.push_back(std::move(*one));
      }
    }
  }
  if (judged.empty()) return tl::unexpected(std::move(error));
  // The user asked about these stages, so they are shown even if they miss the deadline or the budget.
  const auto best = choose(outcomes, task.objective).or_else([&](const Error&) {
    return choose(outcomes, {.kind = task.objective.kind == Objective::Kind::deadline ? Objective::Kind::time
                                                                                      : Objective::Kind::cost});
  });
  return std::move(judged[*best]);
}

}  // namespace funcpipe
