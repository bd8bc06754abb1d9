// ./dev bench simulate: how many operations a second the simulator plays on one core, and how time and memory grow with
// the number of workers.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>

#include "base/clock.h"
#include "schedule/program.h"
#include "simulator/simulation.h"

namespace funcpipe {
namespace {

// Megabytes at the peak so far.
double peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Job {
  int stages = 1, replicas = 1, micro_batches = 1;  // of each replica
  std::int64_t iterations = 3;
  Waiting waiting = Waiting::polling;
};

double cost_of(const Op& op) {
  constexpr double kBorder = 2e6;
  switch (traits(op.kind).purpose) {
    case Purpose::forward:
      return 0.05;
    case Purpose::backward:
      return 0.1;
    case Purpose::update:
      return 0.02;
    case Purpose::activation:
    case Purpose::gradient:
      return kBorder;
    case Purpose::synchronisation:
      return static_cast<double>(op.slice.elements) * 4;
    default:
      return 0;
  }
}

SimulatedFleet fleet_of(const Job& job) {
  Plan plan;
  for (int k = 0; k < job.stages; ++k) plan.stages.push_back({.first_layer = k, .end_layer = k + 1});
  plan.replicas = job.replicas;
  plan.micro_batch = 1;
  plan.global_batch = job.micro_batches * job.replicas;
  const std::vector<StageShape> shapes(static_cast<std::size_t>(job.stages), {.gradient_elements = 5'000'000});
  SimulatedFleet fleet;
  for (int k = 0; k < job.stages; ++k)
    for (int r = 0; r < job.replicas; ++r) {
      const Program program = training_program(plan, shapes, {k, r});
      std::vector<double> costs;
      for (const Op& op : program.ops) costs.push_back(cost_of(op));
      fleet.add(program,
                {.function = "2048 MB",
                 .memory_mb = 2048,
                 .vcpus = 1.16,
                 .uplink = 75e6,
                 .downlink = 75e6,
                 .cold_start = 0.5,
                 .stage_bytes = 20e6},
                costs);
    }
  if (auto linked = fleet.link(); !linked) fmt::print(stderr, "{}\n", describe(linked.error()));
  return fleet;
}

void row(const Job& job) {
  const Seconds began = thread_cpu_time();
  const SimulatedFleet fleet = fleet_of(job);
  const Seconds built = thread_cpu_time();
  SimulationOptions options;
  options.iterations = job.iterations;
  options.waiting = job.waiting;
  options.store.put = LatencyDistribution(0.055, 0.055);
  options.store.get = LatencyDistribution(0.027, 0.027);
  const auto result = simulate(fleet, options);
  const Seconds played = thread_cpu_time() - built;
  if (!result || result->failure) {
    fmt::print("{}\n", describe(result ? *result->failure : result.error()));
    return;
  }
  const auto operations = static_cast<double>(result->operations);
  fmt::print(
      "| {:>7} | {:>6} | {:>8} | {:>5} | {:>8} | {:>10.0f} | {:>9.2f} | {:>8.2f} | {:>8.2f} | {:>9.2f} | {:>11.0f} |\n",
      job.stages * job.replicas, job.stages, job.replicas, job.micro_batches,
      job.waiting == Waiting::polling ? "polling" : "notified", operations,
      static_cast<double>(result->events) / operations, built - began, played, operations / played / 1e6,
      peak_memory());
  std::fflush(stdout);
}

}  // namespace
}  // namespace funcpipe

// `workers` alone, for a profiler.
int main(int count, char** arguments) {
  using funcpipe::Waiting;
  if (count > 1) {
    funcpipe::row({.stages = 20, .replicas = std::atoi(arguments[1]) / 20, .micro_batches = 16, .iterations = 10});
    return 0;
  }
  fmt::print(
      "Iterations: 3. Seconds are CPU seconds of the one thread. Memory is the process's peak so far, programs "
      "included; workers ascend.\n\n"
      "| workers | stages | replicas | micro | waiting  | operations | events/op | build, s | play, s  | M ops/s   | "
      "peak, MiB   |\n"
      "|---------|--------|----------|-------|----------|------------|-----------|----------|----------|-----------|---"
      "----------|\n");
  for (const Waiting waiting : {Waiting::polling, Waiting::notified}) {
    funcpipe::row({.stages = 5, .replicas = 2, .micro_batches = 16, .waiting = waiting});
    funcpipe::row({.stages = 10, .replicas = 10, .micro_batches = 16, .waiting = waiting});
    funcpipe::row({.stages = 20, .replicas = 50, .micro_batches = 16, .waiting = waiting});
    funcpipe::row({.stages = 100, .replicas = 100, .micro_batches = 16, .waiting = waiting});
    funcpipe::row({.stages = 20, .replicas = 50, .micro_batches = 64, .waiting = waiting});
  }
  return 0;
}
