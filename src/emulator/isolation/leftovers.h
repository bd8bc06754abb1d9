#pragma once

namespace funcpipe {

// Removes the control groups of emulators that were killed, and kills what still runs in them. The groups of running
// emulators and of other pid namespaces stay.
void remove_leftover_groups();

}  // namespace funcpipe
