// Estimates a worker's memory.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {

// Returns how many buffers of the parameters' size an optimiser keeps: "sgd" 0, "momentum" (SGD with momentum) 1, all
// others ("adam", "adamw") 2.
int optimizer_copies(const std::string& optimizer);

// What a worker keeps in memory besides its stage, its gradient and tensors in flight.
struct TrainingState {
  int optimizer_copies = 0;  // Buffers of the parameters' size that the optimiser keeps.
  Bytes input_cache = 0;     // Cached input column of the data, on stages that read it.
  Bytes target_cache = 0;    // Cached target column, on the last stage and on stages that read it.
};

// What a worker's memory depends on, in bytes unless said otherwise. A profile has measured it, a model's description
// estimates it; both are added up by the same formula.
struct MemoryParts {
  double base = 0;  // resident in a worker that has loaded its code and libtorch, and nothing else
  double parameters = 0, trainable = 0, buffers = 0;
  int optimizer_copies = 0;  // of the trainable parameters
  double kept = 0;           // activations, received inputs and shared state of all micro-batches in flight
  double working = 0;        // what one micro-batch needs besides while a layer computes
  double moving = 0;         // gradients on their way to the stage before
  double tied = 0;           // gradients of tied parameters that other stages send
  double cached = 0;         // data
  int replicas = 1;          // workers of the stage
  SyncAlgorithm sync = SyncAlgorithm::pipelined;
  bool transfers = false;  // whether the stage exchanges tensors with others
};

// The peak in bytes. The constants were fitted to peaks measured of small models (docs/benchmarks.md, "./dev bench
// prediction"). The formula is that of docs/algorithms.md, "Memory".
double peak_memory(const MemoryParts& parts);

// The peak of a stage's worker as the model's description lets expect it, or what the stage's plan says of it
// (StagePlan::peak_bytes) with the optimiser's state and the cached data of this job.
Bytes estimated_memory(const Plan& plan, const ModelDescription& model, int stage, const TrainingState& state);

// Returns Plan::most_in_flight in samples. The last micro-batch may have fewer samples than the others.
std::int64_t most_samples_in_flight(const Plan& plan, int stage);

}  // namespace funcpipe
