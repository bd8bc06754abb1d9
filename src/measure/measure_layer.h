// What one layer of a model costs: it alone is loaded, and plays micro-batches as a worker would.
#pragma once

#include <string>

#include "base/error.h"
#include "profile/measurement.h"
#include "profile/model_description.h"

namespace funcpipe {

struct LayerTrial {
  int repeats = 5;                    // at the least
  bool by_wall = false;               // which clock to believe:
  double seconds_per_cpu_second = 1;  // no: seconds are those of CPU this thread takes times this
  double dilation = 1;                // yes: seconds are wall seconds divided by this
  // Touched by the other layers between two visits of this one: before each forward and each backward so much memory
  // goes through the caches (cache_sweep.h), so that the layer finds them as it would in the whole model.
  Bytes others = 0;
  Seconds limit = 1e9;  // wall seconds after which repeating ends, however few there were (one, at least)
};

// `archive`: the stage file of layer `layer` alone, freed as soon as it is loaded. `model`: described at the
// micro-batch to measure at. Inputs are drawn (sample_tensors.h), the gradients that come back are ones. Errors:
// corrupt (the archive), failed (what the model raises). Throws std::bad_alloc and c10::Error where there is no memory.
Result<LayerMeasurement> measure_layer(std::string archive, const ModelDescription& model, int layer,
                                       const LayerTrial& trial);

}  // namespace funcpipe
