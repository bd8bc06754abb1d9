// Measures a model's layers in a function. Such an invocation does not train (profile/measurement.h).
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "profile/measurement.h"
#include "store/store.h"

namespace funcpipe {

// Measures and answers. `deadline`, a time of `clock`, ends the invocation; when it comes near, the answer is
// "continue". Each layer's result is stored as soon as it is measured.
Result<MeasureAnswer> measure(const MeasureRequest& request, Store& store, Clock& clock, Seconds deadline);

}  // namespace funcpipe
