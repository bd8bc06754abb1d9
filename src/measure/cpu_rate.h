// A function with less than a vCPU is run and stopped in turns. So the wall time of a short piece of work is
// misleading: it is all burst or mostly pause. CPU seconds are reliable. This file measures how fast they come.
#pragma once

#include "base/units.h"

namespace funcpipe {

Seconds process_cpu_time();  // CPU seconds of all threads of this process

// Returns the wall seconds in which a busy thread gets one CPU second, at least 1. It keeps the processor busy for
// about 3 s. Each window begins and ends where the thread is continued after a stop, so it contains whole turns. The
// least of several windows is returned, because other processes can only take time away.
double wall_seconds_per_cpu_second();

}  // namespace funcpipe
