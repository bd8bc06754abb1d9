// A function with less than a vCPU is let run and stopped in turns, so the wall time of a short piece of work lies: it
// is all burst or mostly pause. CPU seconds do not lie; what is missing is how fast they come.
#pragma once

#include "base/units.h"

namespace funcpipe {

Seconds process_cpu_time();  // CPU seconds of all threads of this process

// Wall seconds in which a busy thread gets one CPU second, at least 1; found by being busy for some 3 s. Windows begin
// and end where the thread was let run again, so they hold whole turns; of several the least counts, for other
// processes can only take time away.
double wall_seconds_per_cpu_second();

}  // namespace funcpipe
