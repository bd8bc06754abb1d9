// How often the workers of a job save snapshots, so that one that is lost can be replayed.
#pragma once

#include <optional>

#include "base/units.h"
#include "catalog/platform.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// From the invocation of a new function until it has loaded libtorch; measured by profiles, where there is one.
inline constexpr Seconds kAssumedColdStart = 3;

// What all workers of a job publish in an iteration: activations, their gradients, and what synchronisation sends.
struct Published {
  double bytes = 0, objects = 0;
};
Published published_in_an_iteration(const JobSpec& spec);

// Snapshots that cost C seconds pay at intervals of sqrt(2 C M / N) seconds, where one of N workers is lost every M / N
// seconds (Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974). Losses of a
// function are taken to be 100 hours apart, which is an assumption. The interval is at most checkpoint.period and half
// of training.wait_limit, as the others wait while a lost worker is replayed; and at least 20 C, so that snapshots cost
// at most a twentieth of the time. A checkpoint.period that the user has set is the interval. `room`: bytes that
// snapshots and objects kept for replay may take in the store, which are those of two intervals and of the one under
// way; nullopt: there is no limit. A job with a parameter server keeps no snapshots.
JobSpec::Recovery recovery_policy(const JobSpec& spec, const Platform& platform, std::optional<Bytes> room);

// training.wait_limit of a job with this policy: unless the user has set it, long enough for a worker to be replayed.
Seconds patience_with(const JobSpec::Recovery& recovery, const JobSpec& spec, const Platform& platform);

// What the disk at `folder` leaves for objects that are kept: a quarter of what is free, at most 16 GiB.
Bytes room_on_disk(const std::string& folder);

}  // namespace funcpipe
