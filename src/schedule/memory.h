// What a worker's memory is estimated to hold.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"

namespace funcpipe {

// Parameter-sized buffers that an optimiser keeps: "sgd" 0, "momentum" (SGD with it) 1, "adam" and "adamw" 2.
int optimizer_copies(const std::string& optimizer);

// What a worker keeps in memory besides its stage and what passes through it.
struct TrainingState {
  int optimizer_copies = 0;  // parameter-sized buffers the optimiser keeps
  Bytes input_cache = 0;     // of the data's input column, on stages that read it
  Bytes target_cache = 0;    // of its target column, on the last stage and those that read it
};

// Estimated peak of a worker: base + parameters x (1 + gradient + optimiser state) + activations in flight + transfer
// buffers + cached data; or what the stage's plan says of it.
Bytes estimated_memory(const Plan& plan, const ModelDescription& model, int stage, const TrainingState& state);

// Plan::most_in_flight in samples: the last micro-batch may be a smaller one.
std::int64_t most_samples_in_flight(const Plan& plan, int stage);

}  // namespace funcpipe
