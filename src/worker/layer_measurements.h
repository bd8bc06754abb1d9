// What a function answers that is invoked to measure a model's layers instead of to train (profile/measurement.h).
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "profile/measurement.h"
#include "store/store.h"

namespace funcpipe {

// `deadline`, on `clock`: of the invocation; before it the answer is "continue". Results of layers are in the store
// when this returns, and as soon as each is measured.
Result<MeasureAnswer> measure(const MeasureRequest& request, Store& store, Clock& clock, Seconds deadline);

}  // namespace funcpipe
