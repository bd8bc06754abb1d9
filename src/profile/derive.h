// Times of function sizes that were not measured, from one that was.
#pragma once

#include <optional>

#include "catalog/platform.h"
#include "profile/profile.h"

namespace funcpipe {

// Threads of one operation on a function of `vcpus` where nobody says otherwise: one per whole vCPU, at least one.
int default_threads(double vcpus);

// Speed of `threads` (0: default_threads) on `vcpus`, relative to one thread on one vCPU: each thread beyond the first
// adds `efficiency` (measured between one and two threads), and nothing is faster than the vCPUs.
double relative_speed(double vcpus, double efficiency, int threads = 0);

// Appends to `profile` options for the sizes in `wanted` that it lacks, with the times of option `from` (an index)
// scaled by relative_speed and marked Origin::derived; options end up in their order. A layer that does not fit `from`
// takes its times from the smallest measured option it fits that is no larger than the derived one; if there is none,
// it does not fit. A layer that fits `from` has times on smaller options too: whether a function of that size can hold
// it is the planner's to say.
struct WantedOption {
  int memory_mb = 0;
  double vcpus = 0;
  int threads = 0;        // 0: default_threads
  double vcpu_speed = 0;  // of its vCPUs, relative to a core of the profile's machine; 0: as the profile's
};
void derive_options(Profile& profile, int from, const std::vector<WantedOption>& wanted);

// Makes a profile of one platform one of another: where `profile` has none of the sizes of `platform`, all of them are
// derived from the measured option with the most memory, which is returned. They have as many threads as the profile's
// derived options have by their vCPUs, or else, since nothing is known then of how threads share a layer, as the
// measured one.
std::optional<OptionProfile> derive_for(Profile& profile, const Platform& platform);

}  // namespace funcpipe
