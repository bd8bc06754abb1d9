// Derives the times of function sizes that were not measured from a size that was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/platform.h"
#include "profile/profile.h"

namespace funcpipe {

// Returns the default number of threads of one operation on a function of `vcpus`: one per whole vCPU, at least one.
int default_threads(double vcpus);

// Returns the speed of `threads` (0: default_threads) on `vcpus`, relative to one thread on one vCPU:
// min(vcpus, 1 + (threads - 1) * efficiency). `efficiency` is Profile::parallel_efficiency, which is measured between
// one and two threads.
double relative_speed(double vcpus, double efficiency, int threads = 0);

struct WantedOption {
  int memory_mb = 0;
  double vcpus = 0;
  int threads = 0;  // 0 means default_threads.
};
// Adds to `profile` an option for every size in `wanted` that it lacks, marks it Origin::derived, and sorts the
// options. Its times are those of option `from` (an index), scaled by relative_speed. A layer that does not fit `from`
// takes its times from the measured option with the least memory that it fits and that has no more memory than the
// derived one; if there is none, the layer does not fit. A layer that fits `from` has times on smaller options too: the
// planner decides whether a function of that size can hold it. `limited` says that functions get only their share of a
// CPU (Platform::limit_cpu); otherwise every thread has a vCPU.
void derive_options(Profile& profile, int from, const std::vector<WantedOption>& wanted, bool limited = true);

// How adapt_to() changed a profile that was measured for another platform.
struct Adaptation {
  std::string measured_for;                   // The platform of the profile before.
  double slower = 1;                          // Time of some work on one vCPU, relative to the platform before.
  std::optional<OptionProfile> derived_from;  // The option all sizes are derived from; nullopt if none was derived.
};

// Changes `profile` into one for `platform`. make_chain (planner/chain.h) calls this before anything plans, predicts or
// simulates. Times are scaled to the speed of the platform's vCPUs and, where Platform::limit_cpu holds, to the share
// of them that a size has. If `profile` has none of the sizes of `platform`, all sizes are derived from the measured
// option with the most memory. A derived size has one thread per whole vCPU if the profile already has derived options
// with more threads than the measured one by that rule; otherwise it has the threads of the measured option, since the
// profile does not tell how a layer runs on more. A profile that is the platform's already stays as it is.
Adaptation adapt_to(Profile& profile, const Platform& platform);

// Returns whether adapt_to() would leave the profile as it is.
bool is_adapted_to(const Profile& profile, const Platform& platform);

}  // namespace funcpipe
