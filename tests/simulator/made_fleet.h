// Fleets made of the real programs and round figures, on a store that is as simple as a formula.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "schedule/checker.h"
#include "schedule/shapes.h"
#include "simulator/simulation.h"

namespace funcpipe::testing {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Of each stage, per micro-batch: seconds, and bytes of the tensors that cross the cut after it and of their gradients.
struct StageFigures {
  Seconds forward = 0, backward = 0, reduce = 0, update = 0;
  double border = 0, border_gradient = 0;
};

struct MadeJob {
  Plan plan;
  std::vector<StageShape> shapes;
  std::vector<StageFigures> stages;
  BytesPerSecond up = kNoLimit, down = kNoLimit;
  double stage_bytes = 0, snapshot_bytes = 0, first_data_bytes = -1;
  Seconds cold_start = 0;
  bool stores_stage = false;
  Dollars rent = 0;  // of a parameter server, per second
  SimulationOptions options;

  // `stages` stages alike.
  MadeJob(int stage_count, int replicas, int micro_batches, StageFigures figures = {}, std::int64_t elements = 0,
          SyncAlgorithm sync = SyncAlgorithm::pipelined)
      : plan(plan_of(stage_count, replicas, micro_batches, sync)),
        shapes(shapes_of(stage_count, elements)),
        stages(static_cast<std::size_t>(stage_count), figures) {
    options.waiting = Waiting::notified;
  }

  double cost(const Op& op, int stage) const {
    if (stage == kParameterServer.stage)
      return static_cast<double>(op.slice.elements) * (op.kind == OpKind::reduce ? 0 : 4);
    const StageFigures& own = stages[static_cast<std::size_t>(stage)];
    switch (op.kind) {
      case OpKind::forward:
        return own.forward;
      case OpKind::backward:
        return own.backward;
      case OpKind::reduce:
        return own.reduce;
      case OpKind::update:
        return own.update;
      case OpKind::send_activation:
        return own.border;
      case OpKind::receive_activation:
        return stages[static_cast<std::size_t>(stage) - 1].border;
      case OpKind::send_gradient:
        return stages[static_cast<std::size_t>(stage) - 1].border_gradient;
      case OpKind::receive_gradient:
        return own.border_gradient;
      case OpKind::publish:
      case OpKind::fetch:
      case OpKind::fetch_into:
        return static_cast<double>(op.slice.elements) * 4;
      default:
        return 0;
    }
  }

  std::vector<Program> programs() const { return programs_of(plan, shapes); }

  SimulatedFleet fleet() const {
    const std::vector<Program> all = programs();
    EXPECT_TRUE(check_programs(all));
    SimulatedFleet fleet;
    for (const Program& program : all) {
      std::vector<double> costs;
      for (const Op& op : program.ops) costs.push_back(cost(op, program.worker.stage));
      if (program.worker == kParameterServer) {
        fleet.add(program, {.function = "server", .uplink = kNoLimit, .downlink = kNoLimit, .rent = rent}, costs);
        continue;
      }
      fleet.add(program,
                {.function = "f",
                 .memory_mb = 1024,
                 .vcpus = 1,
                 .uplink = up,
                 .downlink = down,
                 .cold_start = cold_start,
                 .stage_bytes = stage_bytes,
                 .snapshot_bytes = snapshot_bytes,
                 .first_data_bytes = first_data_bytes,
                 .stores_stage = stores_stage && program.worker.replica == 0},
                costs);
    }
    EXPECT_TRUE(fleet.link());
    return fleet;
  }

  void latency(Seconds put, Seconds get) {
    options.store.put = LatencyDistribution(put, put);
    options.store.get = LatencyDistribution(get, get);
  }
  void connections(int number) { options.download_connections = options.upload_connections = number; }

  SimulationResult run(const FleetObserver& observe = {}) const {
    auto result = simulate(fleet(), options, observe);
    EXPECT_TRUE(result) << (result ? "" : describe(result.error()));
    return result ? *result : SimulationResult{};
  }
  Seconds first_iteration() const { return run().seconds_of(0); }
};

}  // namespace funcpipe::testing
