// How often the workers of a job save snapshots, so that one that is lost can be replayed.
#pragma once

#include <optional>

#include "base/units.h"
#include "catalog/platform.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// What all workers of a job publish in an iteration: activations, their gradients, and what synchronisation sends.
struct Published {
  double bytes = 0, objects = 0;
};
Published published_in_an_iteration(const JobSpec& spec);

// Snapshots that cost C seconds pay at intervals of sqrt(2 C M / N) seconds, where one of N workers is lost every M / N
// seconds (Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974): losses of a
// function are taken to be 100 hours apart, an assumption. The interval is at least 20 C, so that snapshots cost at
// most a twentieth, and at most checkpoint.period. `room`: bytes that objects kept for replay may take in the store;
// they are of two intervals. nullopt: as many as there are. A job with a parameter server, which keeps no snapshots,
// has none.
JobSpec::Recovery recovery_policy(const JobSpec& spec, const Platform& platform, std::optional<Bytes> room);

// What the disk at `folder` leaves for objects that are kept: a quarter of what is free, at most 16 GiB.
Bytes room_on_disk(const std::string& folder);

}  // namespace funcpipe
