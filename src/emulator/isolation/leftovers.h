#pragma once

namespace funcpipe {

// Removes the control groups of emulators that were killed, with what still runs in them. Those of living ones, and of
// other pid namespaces, stay.
void remove_leftover_groups();

}  // namespace funcpipe
