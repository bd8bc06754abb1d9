#include "job/profile_sizes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "profile/derive.h"

namespace funcpipe {
namespace {

using Size = ProfilingProgress::Size;

constexpr int kScaledLayers = 3;  // the slowest ones, measured with two threads

// Layers by the time they take on `size`, the longest first.
std::vector<int> heaviest_layers(const ProfilingProgress& results, Size size, const ModelDescription& model) {
  std::vector<std::pair<Seconds, int>> times;
  for (int i = 0; i < std::ssize(model.layers); ++i)
    if (const LayerMeasurement* layer = results.layer({size, model.micro_batch, i}); layer && layer->time.fits)
      times.emplace_back(-(layer->time.forward + layer->time.backward), i);
  std::sort(times.begin(), times.end());
  std::vector<int> layers;
  for (const auto& [time, layer] : times)
    if (std::ssize(layers) < kScaledLayers) layers.push_back(layer);
  std::sort(layers.begin(), layers.end());
  return layers;
}

bool holds_every_layer(const ProfilingProgress& results, Size size, const std::vector<ModelDescription>& models) {
  for (const ModelDescription& at : models)
    for (int i = 0; i < std::ssize(at.layers); ++i)
      if (const LayerMeasurement* layer = results.layer({size, at.micro_batch, i}); !layer || !layer->time.fits)
        return false;
  return true;
}

LayerTime at_speed(LayerTime time, double speed) {
  time.forward /= speed;
  time.backward /= speed;
  time.forward_spread /= speed;
  time.backward_spread /= speed;
  time.warm_up /= speed;
  return time;
}

Result<const FunctionSize*> size_of(const Platform& platform, SizeChoice choice) {
  if (const FunctionSize* size = platform.exact_size(choice.memory_mb, choice.vcpus)) return size;
  std::vector<std::string> offered;
  for (const FunctionSize& one : platform.sizes) offered.push_back(to_string(platform.choice(one)));
  return fail(ErrorCode::invalid_input, fmt::format("{} has no function size of {}", platform.name, in_words(choice)),
              {}, fmt::format("choose among {}", fmt::join(offered, ", ")));
}

// Returns the sizes whose vCPUs only have work for one thread. Larger sizes compute with one thread for each vCPU, and
// measuring them would need as many idle cores. If there are only larger ones, returns the smallest.
std::vector<const FunctionSize*> for_one_thread(const std::vector<const FunctionSize*>& sizes) {
  std::vector<const FunctionSize*> small = sizes;
  std::erase_if(small, [](const FunctionSize* size) { return default_threads(size->vcpus) > 1; });
  return small.empty() ? std::vector{sizes.back()} : small;
}

std::vector<int> every_layer(const ModelDescription& model) {
  std::vector<int> layers(model.layers.size());
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

}  // namespace

Result<ProfileSizes> choose_sizes(const ProfileSettings& settings, const Platform& platform) {
  std::set<const FunctionSize*> wanted;  // ascending, because the platform's sizes are in one array
  for (const SizeChoice choice : settings.sizes) {
    FUNCPIPE_TRY(size, size_of(platform, choice));
    wanted.insert(size);
  }
  if (settings.sizes.empty())
    for (const FunctionSize& size : platform.sizes) wanted.insert(&size);
  ProfileSizes sizes{.wanted = {wanted.begin(), wanted.end()}, .measured = {wanted.rbegin(), wanted.rend()}};
  if (settings.scale_from) {
    FUNCPIPE_TRY(size, size_of(platform, *settings.scale_from));
    sizes.measured = {size};
  } else if (settings.derived_threads == 0 && platform.limit_cpu) {
    sizes.measured = for_one_thread(sizes.measured);
  }
  return sizes;
}

SizeBySize::SizeBySize(const ProfileSettings& settings, const ProfileProgress& progress, const Platform& platform,
                       const std::vector<ModelDescription>& models, ProfileSizes sizes, LayerMeasuring& measuring,
                       const ProfilingProgress& results)
    : settings_(settings),
      progress_(progress),
      platform_(platform),
      models_(models),
      sizes_(std::move(sizes)),
      base_(sizes_.measured.front()),
      every_(every_layer(models.front())),
      measuring_(measuring),
      results_(results) {}

Result<> SizeBySize::measure() {
  all_ = measurements_on(sizes_.measured.size());
  for (const FunctionSize* function : sizes_.measured) FUNCPIPE_TRY_VOID(measure_on(function));
  // If only a larger function can hold some layer, its time cannot be derived, so the largest size is measured, too.
  const FunctionSize* largest = sizes_.wanted.back();
  if (settings_.scale_from || largest == base_ || holds_every_layer(results_, size(*base_), models_)) return {};
  all_ += measurements_on(1);
  FUNCPIPE_TRY_VOID(measure_on(largest));
  sizes_.measured.insert(sizes_.measured.begin(), largest);
  return {};
}

Result<> SizeBySize::measure_on(const FunctionSize* function) {
  FUNCPIPE_TRY(holds, measuring_.measure_size(size(*function)));
  if (!holds) too_small_.insert(function);
  for (const ModelDescription& at : models_) {
    const auto watch = [&](int layer) {
      if (progress_.measured) progress_.measured(done_ + layer, all_, at.layers[static_cast<std::size_t>(layer)].name);
    };
    if (holds) FUNCPIPE_TRY_VOID(measuring_.measure_layers(size(*function), at, every_, watch));
    done_ += static_cast<int>(every_.size());
  }
  return {};
}

// Returns the measured sizes that can hold a worker, ascending.
std::vector<const FunctionSize*> SizeBySize::that_hold_a_worker() const {
  std::vector<const FunctionSize*> functions(sizes_.measured.rbegin(), sizes_.measured.rend());
  std::erase_if(functions, [&](const FunctionSize* function) { return too_small_.contains(function); });
  return functions;
}

OptionProfile SizeBySize::option(const FunctionSize& function, double vcpu_speed) const {
  const OptionMeasurement& measured = *results_.option(size(function));
  return {.memory_mb = function.memory_mb,
          .vcpus = function.vcpus,
          .threads = settings_.threads,
          .origin = Origin::measured,
          .cold_start = measured.cold_start / vcpu_speed,
          .update_per_byte = measured.update_per_byte / vcpu_speed,
          .transfer_cpu_per_byte = measured.transfer_cpu_per_byte / vcpu_speed,
          .transfer_cpu_per_request = measured.transfer_cpu_per_request / vcpu_speed};
}

MicroBatchProfile SizeBySize::layers_at(const ModelDescription& at, double vcpu_speed) const {
  MicroBatchProfile measured{at.micro_batch, std::vector<LayerSizes>(every_.size()), {}};
  for (const FunctionSize* function : that_hold_a_worker()) {
    std::vector<LayerTime>& times = measured.times.emplace_back();
    for (const int i : every_) {
      const LayerMeasurement& layer = *results_.layer({size(*function), at.micro_batch, i});
      times.push_back(at_speed(layer.time, vcpu_speed));
      // The sizes are equal on all functions. The largest function that can hold the layer decides.
      if (layer.time.fits) measured.sizes[static_cast<std::size_t>(i)] = layer.sizes;
    }
  }
  return measured;
}

Result<> SizeBySize::write_measured(Profile& profile) const {
  for (const FunctionSize* function : that_hold_a_worker()) {
    profile.options.push_back(option(*function, profile.vcpu_speed));
    profile.base_memory = std::max(profile.base_memory, results_.option(size(*function))->base_memory);
  }
  if (profile.options.empty())
    return fail(ErrorCode::invalid_input,
                fmt::format("no function of {} MB or less holds a worker", sizes_.measured.front()->memory_mb), {},
                "choose larger sizes with --memory");
  for (const ModelDescription& at : models_) profile.micro_batches.push_back(layers_at(at, profile.vcpu_speed));
  return {};
}

Result<> SizeBySize::derive_others(Profile& profile) const {
  if (sizes_.wanted.size() <= sizes_.measured.size()) return {};
  const std::vector<const FunctionSize*> measured = that_hold_a_worker();
  auto from = std::ranges::find(measured, base_);
  if (from == measured.end()) --from;
  if (settings_.threads == 1) FUNCPIPE_TRY_VOID(compare_two_threads(platform_.choice(**from), profile));
  std::vector<WantedOption> wanted;
  for (const FunctionSize* function : sizes_.wanted)
    if (!too_small_.contains(function))
      wanted.push_back({function->memory_mb, function->vcpus, settings_.derived_threads});
  derive_options(profile, static_cast<int>(from - measured.begin()), wanted, platform_.limit_cpu);
  return {};
}

// Sets how much of a second thread's time turns into speed.
Result<> SizeBySize::compare_two_threads(SizeChoice on, Profile& profile) const {
  progress_.step("measuring the heaviest layers with two threads");
  const Size one{on, 1}, two{on, 2};
  const ModelDescription& at = models_.back();  // large operations share threads best
  const std::vector<int> heavy = heaviest_layers(results_, one, at);
  FUNCPIPE_TRY_VOID(measuring_.measure_layers(two, at, heavy, [](int) {}));
  Seconds with_one = 0, with_two = 0;
  for (const int i : heavy) {
    const LayerMeasurement& fast = *results_.layer({two, at.micro_batch, i});
    if (!fast.time.fits) continue;
    with_one += results_.layer({one, at.micro_batch, i})->least;
    with_two += fast.least;
  }
  if (with_two > 0) profile.parallel_efficiency = std::clamp(with_one / with_two - 1, 0.0, 1.0);
  progress_.step(fmt::format("a second thread adds {:.0f}% to the speed of one{}", 100 * profile.parallel_efficiency,
                             profile.parallel_efficiency < 0.2
                                 ? "; more if other programs kept this machine busy: then profile again when it is idle"
                                 : ""));
  return {};
}

}  // namespace funcpipe
