#pragma once

#include "base/units.h"

namespace funcpipe {

// The most physical memory this process ever held (VmHWM); 0 where the system does not say.
Bytes peak_memory();

}  // namespace funcpipe
