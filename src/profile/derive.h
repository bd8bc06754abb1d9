// Times of function sizes that were not measured, from one that was.
#pragma once

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
  int threads = 0;  // 0: default_threads
};
void derive_options(Profile& profile, int from, const std::vector<WantedOption>& wanted);

}  // namespace funcpipe
