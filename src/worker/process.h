// What the system says of the process this code runs in.
#pragma once

#include "base/units.h"

namespace funcpipe {

// The most physical memory this process ever held (VmHWM); 0 where the system does not say.
Bytes peak_memory();

// Seconds since this process was started; 0 where the system does not say.
Seconds process_age();

}  // namespace funcpipe
