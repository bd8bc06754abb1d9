// Measures what one layer of a model costs. Only that layer is loaded, and it computes micro-batches as in a worker.
#pragma once

#include <string>

#include "base/error.h"
#include "profile/measurement.h"
#include "profile/model_description.h"

namespace funcpipe {

struct LayerTrial {
  int repeats = 5;                    // the fewest repetitions
  bool by_wall = false;               // which clock is used:
  double seconds_per_cpu_second = 1;  // CPU: seconds are CPU seconds of this thread times this
  double dilation = 1;                // wall: seconds are wall seconds divided by this
  // Bytes that the other layers touch between two visits of this one. Before each forward and each backward pass so
  // many bytes go through the caches (cache_sweep.h), so that the layer finds them as in the whole model.
  Bytes others = 0;
  Seconds limit = 1e9;  // wall seconds after which repeating ends, but not before one repetition
};

// `archive` is the stage file of layer `layer` alone; it is freed once loaded. `model` must be described at the
// micro-batch to be measured. Inputs are drawn at random (sample_tensors.h), and the gradients that come back are ones.
// Errors: corrupt for the archive, failed for what the model raises. Throws std::bad_alloc or c10::Error if there is no
// memory.
Result<LayerMeasurement> measure_layer(std::string archive, const ModelDescription& model, int layer,
                                       const LayerTrial& trial);

}  // namespace funcpipe
