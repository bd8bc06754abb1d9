// Which function sizes a profile has, and how it comes to each: measured, one size after the other, or derived.
// Internal to profile_model.h.
#pragma once

#include <set>
#include <vector>

#include "base/error.h"
#include "catalog/platform.h"
#include "job/layer_measuring.h"
#include "job/profile_model.h"
#include "job/profiling_progress.h"
#include "profile/profile.h"

namespace funcpipe {

// The sizes to have in the profile, ascending, and which of them to measure, the largest first: it says soonest if
// something is wrong. The others are derived from the largest one that is measured. They lie in the platform.
struct ProfileSizes {
  std::vector<const FunctionSize*> wanted, measured;
};

// Errors: invalid_input (a size the platform lacks).
Result<ProfileSizes> choose_sizes(const ProfileSettings& settings, const Platform& platform);

// The model on one function size after the other, and what of it the profile says.
class SizeBySize {
 public:
  // All but `sizes` outlive it.
  SizeBySize(const ProfileSettings& settings, const ProfileProgress& progress, const Platform& platform,
             const std::vector<ModelDescription>& models, ProfileSizes sizes, LayerMeasuring& measuring,
             const ProfilingProgress& results);
  Result<> measure();
  // The sizes measured and the times on each. Requires: the profile's vCPU speed. Errors: invalid_input (none of them
  // holds a worker).
  Result<> write_measured(Profile& profile) const;
  // The wanted sizes that were not measured.
  Result<> derive_others(Profile& profile) const;

 private:
  using Size = ProfilingProgress::Size;
  Size size(const FunctionSize& function) const { return {platform_.choice(function), settings_.threads}; }
  int measurements_on(std::size_t functions) const {
    return static_cast<int>(functions * models_.size() * every_.size());
  }
  Result<> measure_on(const FunctionSize* function);
  std::vector<const FunctionSize*> that_hold_a_worker() const;
  OptionProfile option(const FunctionSize& function, double vcpu_speed) const;
  MicroBatchProfile layers_at(const ModelDescription& at, double vcpu_speed) const;
  Result<> compare_two_threads(SizeChoice on, Profile& profile) const;

  const ProfileSettings& settings_;
  const ProfileProgress& progress_;
  const Platform& platform_;
  const std::vector<ModelDescription>& models_;
  ProfileSizes sizes_;
  const FunctionSize* base_;  // measured first, and the one that others are derived from if it holds a worker
  std::vector<int> every_;    // layer
  LayerMeasuring& measuring_;
  const ProfilingProgress& results_;
  std::set<const FunctionSize*> too_small_;  // for a worker
  int done_ = 0, all_ = 0;                   // layers, at each micro-batch size and on each function size
};

}  // namespace funcpipe
