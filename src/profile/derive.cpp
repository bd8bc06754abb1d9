#include "profile/derive.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "base/check.h"

namespace funcpipe {
namespace {

LayerTime scaled(LayerTime time, double factor) {
  time.forward *= factor;
  time.backward *= factor;
  time.forward_spread *= factor;
  time.backward_spread *= factor;
  time.warm_up *= factor;
  return time;
}

// Returns the vCPUs that a function's threads can use: its share of a CPU, or at least one for each thread where the
// platform does not limit functions to their share.
double usable_vcpus(const OptionProfile& option, bool limited) {
  return limited ? option.vcpus : std::max(option.vcpus, static_cast<double>(option.threads));
}

std::tuple<int, double> size_of(const OptionProfile& option) {
  return {option.memory_mb, option.vcpus};
}

// Returns the index of the option that a layer's times on a derived option of `memory_mb` come from; -1 if there is
// none.
int source_of(const Profile& profile, const MicroBatchProfile& at, int from, int memory_mb, std::size_t layer) {
  if (at.times[static_cast<std::size_t>(from)][layer].fits) return from;
  int source = -1;
  for (int i = 0; i < static_cast<int>(at.times.size()); ++i) {
    const OptionProfile& option = profile.options[static_cast<std::size_t>(i)];
    if (option.origin != Origin::measured || option.memory_mb > memory_mb) continue;
    if (!at.times[static_cast<std::size_t>(i)][layer].fits) continue;
    if (source < 0 || option.memory_mb < profile.options[static_cast<std::size_t>(source)].memory_mb) source = i;
  }
  return source;
}

void sort_options(Profile& profile) {
  std::vector<std::size_t> order(profile.options.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return size_of(profile.options[i]); });
  const auto arranged = [&](const auto& list) {
    auto sorted = list;
    for (std::size_t i = 0; i < order.size(); ++i) sorted[i] = list[order[i]];
    return sorted;
  };
  profile.options = arranged(profile.options);
  for (MicroBatchProfile& at : profile.micro_batches) at.times = arranged(at.times);
}

bool offers_any(const Platform& platform, const std::vector<OptionProfile>& options) {
  return std::ranges::any_of(options, [&](const OptionProfile& option) {
    return platform.exact_size(option.memory_mb, option.vcpus) != nullptr;
  });
}

// Returns the speed of the platform's vCPUs. The profile's figure holds if it was given for this very platform;
// otherwise the figure in the platform's file does.
double vcpu_speed_on(const Platform& platform, const Profile& profile) {
  return profile.vcpu_speed_given && profile.platform == platform.name ? profile.vcpu_speed : platform.vcpu_speed;
}

// Returns whether the platform of `profile` limits functions to their share of a CPU. An unknown platform is assumed to
// do so, since clouds do.
bool was_limited(const Profile& profile, const Platform& platform) {
  if (profile.platform == platform.name) return platform.limit_cpu;
  const auto own = load_platform(profile.platform);
  return !own || own->limit_cpu;
}

// Scales all options to a platform whose vCPUs take `slower` times as long. `was_limited` and `limited` say whether
// functions get only their share of a CPU on the platform before and on the new one.
void scale_options(Profile& profile, double slower, bool was_limited, bool limited) {
  for (std::size_t i = 0; i < profile.options.size(); ++i) {
    OptionProfile& option = profile.options[i];
    const double was = usable_vcpus(option, was_limited), has = usable_vcpus(option, limited);
    const double factor = slower * relative_speed(was, profile.parallel_efficiency, option.threads) /
                          relative_speed(has, profile.parallel_efficiency, option.threads);
    option.cold_start *= slower * std::min(1.0, was) / std::min(1.0, has);
    option.update_per_byte *= factor;
    option.transfer_cpu_per_byte *= slower;
    option.transfer_cpu_per_request *= slower;
    for (MicroBatchProfile& at : profile.micro_batches)
      for (LayerTime& time : at.times[i]) time = scaled(time, factor);
  }
}

// Derives all sizes of `platform` and returns the option they are derived from; nullopt if no option was measured.
std::optional<OptionProfile> derive_sizes(Profile& profile, const Platform& platform) {
  const std::vector<OptionProfile>& options = profile.options;
  const auto is_measured = [](const OptionProfile& option) { return option.origin == Origin::measured; };
  const auto largest = std::find_if(options.rbegin(), options.rend(), is_measured);
  if (largest == options.rend()) return std::nullopt;
  const OptionProfile from = *largest;
  const bool threads_by_vcpus = std::ranges::any_of(options, [&](const OptionProfile& option) {
    return !is_measured(option) && option.threads > from.threads && option.threads == default_threads(option.vcpus);
  });
  std::vector<WantedOption> wanted;
  for (const FunctionSize& size : platform.sizes)
    wanted.push_back({size.memory_mb, size.vcpus, threads_by_vcpus ? 0 : from.threads});
  derive_options(profile, static_cast<int>(options.rend() - largest) - 1, wanted, platform.limit_cpu);
  return from;
}

}  // namespace

int default_threads(double vcpus) {
  return std::max(1, static_cast<int>(std::floor(vcpus)));
}

double relative_speed(double vcpus, double efficiency, int threads) {
  if (threads == 0) threads = default_threads(vcpus);
  return std::min(vcpus, 1 + (threads - 1) * efficiency);
}

void derive_options(Profile& profile, int from, const std::vector<WantedOption>& wanted, bool limited) {
  FUNCPIPE_CHECK(0 <= from && from < static_cast<int>(profile.options.size()), "option {} of {}", from,
                 profile.options.size());
  const double efficiency = profile.parallel_efficiency;
  const auto speed = [&](const OptionProfile& option) {
    return relative_speed(usable_vcpus(option, limited), efficiency, option.threads);
  };
  const OptionProfile base = profile.options[static_cast<std::size_t>(from)];
  for (const WantedOption& size : wanted) {
    OptionProfile option = base;
    option.memory_mb = size.memory_mb;
    option.vcpus = size.vcpus;
    option.threads = size.threads > 0 ? size.threads : default_threads(size.vcpus);
    option.origin = Origin::derived;
    if (std::ranges::find(profile.options, size_of(option), size_of) != profile.options.end()) continue;
    // A process starts with one thread, so more than one vCPU does not make the cold start shorter.
    option.cold_start *= std::min(1.0, usable_vcpus(base, limited)) / std::min(1.0, usable_vcpus(option, limited));
    option.update_per_byte *= speed(base) / speed(option);
    for (MicroBatchProfile& at : profile.micro_batches) {
      std::vector<LayerTime> times(at.sizes.size());
      for (std::size_t layer = 0; layer < times.size(); ++layer) {
        const int source = source_of(profile, at, from, size.memory_mb, layer);
        if (source < 0) {
          times[layer].fits = false;
          continue;
        }
        const auto index = static_cast<std::size_t>(source);
        times[layer] = scaled(at.times[index][layer], speed(profile.options[index]) / speed(option));
      }
      at.times.push_back(std::move(times));
    }
    profile.options.push_back(option);
  }
  sort_options(profile);
}

bool is_adapted_to(const Profile& profile, const Platform& platform) {
  return profile.platform == platform.name && profile.vcpu_speed == vcpu_speed_on(platform, profile) &&
         offers_any(platform, profile.options);
}

Adaptation adapt_to(Profile& profile, const Platform& platform) {
  Adaptation adaptation;
  adaptation.measured_for = profile.platform;
  if (is_adapted_to(profile, platform)) return adaptation;
  const double speed = vcpu_speed_on(platform, profile);
  adaptation.slower = profile.vcpu_speed / speed;
  scale_options(profile, adaptation.slower, was_limited(profile, platform), platform.limit_cpu);
  profile.vcpu_speed = speed;
  profile.vcpu_speed_given = profile.vcpu_speed_given && profile.platform == platform.name;
  if (!offers_any(platform, profile.options)) adaptation.derived_from = derive_sizes(profile, platform);
  profile.platform = platform.name;
  return adaptation;
}

}  // namespace funcpipe
