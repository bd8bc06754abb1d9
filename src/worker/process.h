// Facts about this process, from /proc.
#pragma once

#include "base/units.h"

namespace funcpipe {

// The largest physical memory in bytes that this process ever used (VmHWM); 0 if the system does not say.
Bytes peak_memory();

// Seconds since this process was started; 0 if the system does not say.
Seconds process_age();

}  // namespace funcpipe
