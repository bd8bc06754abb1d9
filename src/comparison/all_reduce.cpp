#include "comparison/all_reduce.h"

#include <algorithm>

#include "schedule/program.h"

namespace funcpipe {
namespace {

constexpr int kReplicas[] = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

// Returns the bytes that an operation transfers: those of its slice of the gradient.
double bytes_of(const Op& op) {
  return traits(op.kind).store == StoreRequest::none ? 0 : static_cast<double>(op.slice.elements) * sizeof(float);
}

// Simulates workers that only synchronise and returns the time of an iteration. Errors: those of simulate().
Result<Seconds> synchronising(const Ground& ground, const FunctionSize& size, int replicas, SyncAlgorithm algorithm,
                              std::stop_token stop) {
  Plan plan;
  plan.stages = {{.first_layer = 0, .end_layer = 1}};
  plan.replicas = plan.global_batch = replicas;
  plan.micro_batch = 1;
  plan.sync = algorithm;
  const std::vector<StageShape> shapes = {{.gradient_elements = kSummedBytes / 4}};
  SimulatedFleet fleet;
  for (int replica = 0; replica < replicas; ++replica) {
    const Program program = training_program(plan, shapes, {0, replica});
    std::vector<double> costs;
    for (const Op& op : program.ops) costs.push_back(bytes_of(op));
    fleet.add(program,
              {.function = "worker",
               .memory_mb = size.memory_mb,
               .vcpus = size.vcpus,
               .uplink = size.uplink,
               .downlink = size.downlink},
              costs);
  }
  FUNCPIPE_TRY_VOID(fleet.link());
  FUNCPIPE_TRY(options, play_options(ground, plan, kPlayedIterations));
  FUNCPIPE_TRY(result, simulate(fleet, options, {}, {}, std::move(stop)));
  if (result.failure) return tl::unexpected(std::move(*result.failure));
  return steady_seconds(result);
}

}  // namespace

Result<AllReduceCurves> all_reduce_curves(const Ground& ground, std::stop_token stop) {
  const FunctionSize& size = *std::ranges::max_element(ground.platform.sizes, {}, &FunctionSize::downlink);
  AllReduceCurves curves{.platform = ground.platform.name, .uplink = size.uplink, .downlink = size.downlink};
  for (const int n : kReplicas) {
    if (n > ground.platform.limits.concurrency) break;
    AllReducePoint point{.replicas = n};
    for (const SyncAlgorithm algorithm : {SyncAlgorithm::three_phase, SyncAlgorithm::pipelined}) {
      const auto seconds = synchronising(ground, size, n, algorithm, stop);
      if (!seconds && seconds.error().code == ErrorCode::cancelled) return tl::unexpected(seconds.error());
      (algorithm == SyncAlgorithm::pipelined ? point.pipelined : point.three_phase) = seconds.value_or(0);
    }
    point.bound = 2 * (1 - 1.0 / n) * static_cast<double>(kSummedBytes) / size.downlink;
    curves.points.push_back(point);
  }
  return curves;
}

}  // namespace funcpipe
