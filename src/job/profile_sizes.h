// Chooses the function sizes of a profile, measures one after the other, and derives the rest. Used by profile_model
// only.
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

// `wanted` are the sizes of the profile, ascending. `measured` are those to measure, the largest first, because it
// shows soonest if something is wrong. The others are derived from the largest measured one. All point into the
// platform.
struct ProfileSizes {
  std::vector<const FunctionSize*> wanted, measured;
};

// Errors: invalid_input for a size that the platform lacks.
Result<ProfileSizes> choose_sizes(const ProfileSettings& settings, const Platform& platform);

// Measures the model on one function size after the other and writes the results to a profile.
class SizeBySize {
 public:
  // All arguments but `sizes` must outlive it.
  SizeBySize(const ProfileSettings& settings, const ProfileProgress& progress, const Platform& platform,
             const std::vector<ModelDescription>& models, ProfileSizes sizes, LayerMeasuring& measuring,
             const ProfilingProgress& results);
  Result<> measure();
  // Writes the sizes that were measured, and the times on each. profile.vcpu_speed must be set. Errors: invalid_input
  // if none of the sizes can hold a worker.
  Result<> write_measured(Profile& profile) const;
  // Derives the wanted sizes that were not measured.
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
  const FunctionSize* base_;  // measured first; others are derived from it if it can hold a worker
  std::vector<int> every_;    // the indices of all layers
  LayerMeasuring& measuring_;
  const ProfilingProgress& results_;
  std::set<const FunctionSize*> too_small_;  // for a worker
  int done_ = 0, all_ = 0;                   // layers, at each micro-batch size and on each function size
};

}  // namespace funcpipe
