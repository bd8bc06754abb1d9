#include "comparison/scaling.h"

namespace funcpipe {
namespace {

// Fewer than elsewhere, because an iteration of the largest jobs has a million operations.
constexpr std::int64_t kIterations = 6;
constexpr System kScaled[] = {System::lambda_ml_ga, System::published, System::ours};

Result<double> throughput(const Ground& ground, const Plan& plan, const SimulatedFleet& fleet, bool unlimited,
                          std::stop_token stop) {
  FUNCPIPE_TRY(options, play_options(ground, plan, kIterations, unlimited));
  FUNCPIPE_TRY(result, simulate(fleet, options, {}, {}, std::move(stop)));
  if (result.failure) return tl::unexpected(std::move(*result.failure));
  return plan.global_batch / steady_seconds(result);
}

Result<ScalingCurve> curve_of(const Ground& ground, const SystemResult& system, std::stop_token stop) {
  const Plan& whole = system.at(Aim::between).plan;
  ScalingCurve curve{.system = system.system, .plan = whole, .points = {}, .ended = {}, .refused = {}};
  // Samples of the largest share of a replica, in whole micro-batches.
  const int share = (whole.micro_batch_count() + whole.replicas - 1) / whole.replicas * whole.micro_batch;
  curve.plan.replicas = 1;
  curve.plan.global_batch = share;
  for (int replicas = 1; replicas * whole.stage_count() <= kMostWorkers; replicas *= 2) {
    Plan plan = curve.plan;
    plan.replicas = replicas;
    plan.global_batch = share * replicas;
    Ground roomy = ground;  // With a raised limit of functions, since a cloud can raise that quota.
    roomy.platform.limits.concurrency = std::max(roomy.platform.limits.concurrency, kMostWorkers);
    const auto made = plan_fleet(roomy.task(plan.global_batch), plan, /*keep_programs=*/false);
    if (!made) {
      curve.ended = made.error().message;
      break;
    }
    const auto free = throughput(roomy, plan, made->fleet, /*unlimited=*/true, stop);
    if (!free) {
      if (free.error().code == ErrorCode::cancelled) return tl::unexpected(free.error());
      curve.ended = free.error().message;
      break;
    }
    const auto limited = throughput(roomy, plan, made->fleet, /*unlimited=*/false, stop);
    if (!limited) {
      if (limited.error().code == ErrorCode::cancelled) return tl::unexpected(limited.error());
      if (curve.refused.empty()) curve.refused = limited.error().message;
    }
    curve.points.push_back({.workers = plan.worker_count(),
                            .batch = plan.global_batch,
                            .throughput = limited.value_or(0),
                            .throughput_unlimited = *free});
  }
  return curve;
}

}  // namespace

Result<Scaling> scaling(const Ground& ground, const Cell& cell, std::stop_token stop) {
  Scaling scaling{.model = cell.model, .platform = cell.platform, .batch = cell.batch, .curves = {}};
  for (const System system : kScaled) {
    if (!cell.of(system).feasible()) continue;
    FUNCPIPE_TRY(curve, curve_of(ground, cell.of(system), stop));
    scaling.curves.push_back(std::move(curve));
  }
  return scaling;
}

}  // namespace funcpipe
