// Times of function sizes that were not measured, from one that was.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  int threads = 0;  // 0: default_threads
};
// `limited`: functions are held to their share of a CPU (Platform::limit_cpu); otherwise each has a vCPU a thread.
void derive_options(Profile& profile, int from, const std::vector<WantedOption>& wanted, bool limited = true);

// How a profile was made to speak of another platform than the one it was measured for.
struct Adaptation {
  std::string measured_for;                   // the platform the profile was of
  double slower = 1;                          // seconds of one whole vCPU here, relative to one there
  std::optional<OptionProfile> derived_from;  // all sizes are derived from this one; nullopt: none is
};

// Makes `profile` one of `platform`, as everything that plans, judges or plays a plan has it (make_chain,
// planner/chain.h). Times are scaled to the speed of the platform's vCPUs, and to the share of them that a size has
// where the platform holds functions to it (Platform::limit_cpu). Where `profile` has none of the sizes of `platform`,
// all of them are derived from the measured option with the most memory. They have as many threads as the profile's
// derived options have by their vCPUs, or else, since nothing is known then of how threads share a layer, as the
// measured one. A profile that is the platform's already stays as it is.
Adaptation adapt_to(Profile& profile, const Platform& platform);

// Whether adapt_to() would leave the profile as it is.
bool is_adapted_to(const Profile& profile, const Platform& platform);

}  // namespace funcpipe
