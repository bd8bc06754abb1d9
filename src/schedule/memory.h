// Estimates a worker's memory.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"

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

// Returns the estimated peak memory of a worker in bytes: process + parameters, gradient and optimiser state + buffers
// + activations in flight + transfer buffers + cached data. If StagePlan::peak_bytes is given, it replaces all but the
// optimiser state and the cached data.
Bytes estimated_memory(const Plan& plan, const ModelDescription& model, int stage, const TrainingState& state);

// Returns Plan::most_in_flight in samples. The last micro-batch may have fewer samples than the others.
std::int64_t most_samples_in_flight(const Plan& plan, int stage);

}  // namespace funcpipe
