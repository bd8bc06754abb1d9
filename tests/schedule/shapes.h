// Hand-made plans and stage shapes: what the writers need, without a model.
#pragma once

#include <vector>

#include "schedule/program.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe::testing {

inline Plan plan_of(int stages, int replicas, int micro_batches, SyncAlgorithm sync = SyncAlgorithm::pipelined,
                    int micro_batch = 1) {
  Plan plan;
  for (int k = 0; k < stages; ++k) plan.stages.push_back({.first_layer = k, .end_layer = k + 1});
  plan.replicas = replicas;
  plan.micro_batch = micro_batch;
  plan.global_batch = micro_batches * micro_batch;
  plan.sync = sync;
  if (traits(sync).has_server) plan.server = "c5.9xlarge";
  return plan;
}

// Every algorithm that is registered and needs no machine beside the functions.
inline std::vector<SyncAlgorithm> algorithms_of_functions() {
  std::vector<SyncAlgorithm> algorithms;
  for (const SyncTraits* const of : sync_algorithms())
    if (!of->has_server) algorithms.emplace_back(of->name);
  return algorithms;
}

inline std::vector<StageShape> shapes_of(int stages, std::int64_t elements) {
  return std::vector<StageShape>(stages, StageShape{.gradient_elements = elements});
}

// `parameter` of `elements` at `first` of every one of `users`.
inline void tie(std::vector<StageShape>& shapes, int parameter, const std::vector<int>& users, Slice slice) {
  for (const int k : users) shapes[k].tied.push_back({parameter, slice, users});
}

using Writer = Program (*)(const Plan&, const std::vector<StageShape>&, WorkerId);

inline std::vector<Program> programs_of(const Plan& plan, const std::vector<StageShape>& shapes,
                                        Writer writer = training_program) {
  std::vector<Program> programs;
  for (const WorkerId worker : plan.workers()) programs.push_back(writer(plan, shapes, worker));
  return programs;
}

}  // namespace funcpipe::testing
