#include "job/profile_model.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/counted.h"
#include "base/files.h"
#include "job/cloud.h"
#include "job/deploy.h"
#include "job/layer_measuring.h"
#include "job/measured_results.h"
#include "job/process_needs.h"
#include "job/results_folder.h"
#include "job/worker_tool.h"
#include "profile/derive.h"

namespace funcpipe {
namespace {

using Size = MeasuredResults::Size;

constexpr int kScaledLayers = 3;  // heaviest ones, measured with two threads

// The model at each micro-batch size, with the same layers.
Result<std::vector<ModelDescription>> describe_all(const WorkerTool& worker, const ProfileSettings& settings,
                                                   std::stop_token stop) {
  std::vector<TensorSpec> inputs = settings.inputs;
  if (inputs.empty() && !settings.model.file.starts_with("zoo:"))
    return fail(
        ErrorCode::invalid_input, "a TorchScript file does not say what its inputs look like", settings.model.file,
        "give the type and shape of each, with the samples first: --input float32:1x3x224x224; or profile a job "
        "file, whose data says it: funcpipe profile JOB.toml");
  if (inputs.empty()) {
    FUNCPIPE_TRY(model, worker.describe(settings.model, {}, stop));
    inputs = model.inputs;
  }
  std::vector<ModelDescription> models;
  for (const int micro_batch : settings.micro_batches) {
    for (TensorSpec& input : inputs)
      if (!input.shape.empty()) input.shape.front() = micro_batch;
    FUNCPIPE_TRY(model, worker.describe(settings.model, inputs, stop));
    if (!models.empty() && model.fingerprint != models.front().fingerprint)
      return fail(ErrorCode::invalid_input,
                  fmt::format("the model's layers begin elsewhere at micro-batch {} than at {}",
                              models.front().micro_batch, model.micro_batch),
                  settings.model.file, "profile these micro-batch sizes one by one");
    models.push_back(std::move(model));
  }
  return models;
}

Plan layer_by_layer(const ModelDescription& model) {
  Plan plan;
  plan.model = model.source;
  plan.fingerprint = model.fingerprint;
  plan.global_batch = plan.micro_batch = model.micro_batch;
  for (int i = 0; i < std::ssize(model.layers); ++i) plan.stages.push_back({.first_layer = i, .end_layer = i + 1});
  return plan;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown processor";
}

// For people: without the addresses, which differ from run to run, of an embedded cloud.
std::string machine(const Cloud& cloud) {
  if (!cloud.embedded()) return cloud.description();
  const std::string where = cloud.description();
  return fmt::format("{}, embedded cloud{}", processor(), where.substr(std::min(where.size(), where.find(", limits"))));
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

// Layers by the time they take on `size`, the longest first.
std::vector<int> heaviest_layers(const MeasuredResults& results, Size size, const ModelDescription& model) {
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

bool holds_every_layer(const MeasuredResults& results, Size size, const std::vector<ModelDescription>& models) {
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

// The sizes to have in the profile, ascending, and which of them to measure, the largest first: it says soonest if
// something is wrong. The others are derived from the largest one that is measured.
struct Sizes {
  std::vector<const FunctionSize*> wanted, measured;
};

// Measured where one thread is all that its vCPUs have work for; larger sizes compute with a thread per vCPU, which
// takes as many idle cores to measure. If there are none but larger ones, the smallest.
std::vector<const FunctionSize*> for_one_thread(const std::vector<const FunctionSize*>& sizes) {
  std::vector<const FunctionSize*> small = sizes;
  std::erase_if(small, [](const FunctionSize* size) { return default_threads(size->vcpus) > 1; });
  return small.empty() ? std::vector{sizes.back()} : small;
}

Result<Sizes> choose_sizes(const ProfileSettings& settings, const Platform& platform) {
  std::set<const FunctionSize*> wanted;  // ascending, as they lie in the platform
  for (const SizeChoice choice : settings.sizes) {
    FUNCPIPE_TRY(size, size_of(platform, choice));
    wanted.insert(size);
  }
  if (settings.sizes.empty())
    for (const FunctionSize& size : platform.sizes) wanted.insert(&size);
  Sizes sizes{.wanted = {wanted.begin(), wanted.end()}, .measured = {wanted.rbegin(), wanted.rend()}};
  if (settings.scale_from) {
    FUNCPIPE_TRY(size, size_of(platform, *settings.scale_from));
    sizes.measured = {size};
  } else if (settings.derived_threads == 0 && platform.limit_cpu) {
    sizes.measured = for_one_thread(sizes.measured);
  }
  return sizes;
}

}  // namespace

Result<Profile> profile_model(const ProfileSettings& settings, const ProfileProgress& progress, std::stop_token stop) {
  FUNCPIPE_TRY_VOID(check_own_needs());
  FUNCPIPE_TRY(worker, WorkerTool::find());
  FUNCPIPE_TRY(platform, load_platform(settings.cloud.name));
  FUNCPIPE_TRY(sizes, choose_sizes(settings, platform));
  progress.step(fmt::format("reading model {}", settings.model.file));
  FUNCPIPE_TRY(models, describe_all(worker, settings, stop));
  const ModelDescription& model = models.front();
  const auto layers = static_cast<int>(model.layers.size());
  if (progress.may_measure) FUNCPIPE_TRY_VOID(progress.may_measure(model, platform));
  FUNCPIPE_TRY(folder, ResultsFolder::open(settings.folder));
  FUNCPIPE_TRY(results,
               MeasuredResults::open(
                   folder.path() / "measured.json",
                   fmt::format("{} {} seed {} optimizer {} dilation {} repeats {}", model.fingerprint, platform.name,
                               settings.model.seed, settings.optimizer, settings.cloud.dilation, settings.repeats)));
  if (const auto known = static_cast<std::int64_t>(results.layer_count()); known > 0)
    progress.step(fmt::format("{} of an earlier run {} kept; delete {} to measure anew", counted(known, "result"),
                              known == 1 ? "is" : "are", folder.path().string()));
  progress.step(fmt::format("cutting it into its {}", counted(layers, "layer")));
  FUNCPIPE_TRY(files, worker.cut(settings.model, model.inputs, layer_by_layer(model), folder.staging() / "cut", stop));
  FUNCPIPE_TRY(cloud, Cloud::open(settings.cloud, platform, folder.cloud(), stop));
  progress.step(fmt::format("platform {}: {}", platform.name, cloud->description()));
  FUNCPIPE_TRY(common, function_template(*cloud, platform, settings.cloud.role, worker, LayerMeasuring::kPrefix));
  LayerMeasuring measuring(settings, platform, *cloud, std::move(common), results, stop);
  FUNCPIPE_TRY_VOID(measuring.publish(files, models));

  std::vector<int> every(static_cast<std::size_t>(layers));
  for (int i = 0; i < layers; ++i) every[static_cast<std::size_t>(i)] = i;
  int all = static_cast<int>(sizes.measured.size() * models.size()) * layers;
  int done = 0;
  std::set<const FunctionSize*> too_small;
  const auto measure = [&](const FunctionSize* function) -> Result<> {
    const Size size{platform.choice(*function), settings.threads};
    FUNCPIPE_TRY(holds, measuring.measure_size(size));
    if (!holds) too_small.insert(function);
    for (const ModelDescription& at : models) {
      const auto watch = [&](int layer) {
        if (progress.measured) progress.measured(done + layer, all, at.layers[static_cast<std::size_t>(layer)].name);
      };
      if (holds) FUNCPIPE_TRY_VOID(measuring.measure_layers(size, at, every, watch));
      done += layers;
    }
    return {};
  };
  for (const FunctionSize* function : sizes.measured) FUNCPIPE_TRY_VOID(measure(function));
  // Times of a layer that only a larger function holds cannot be derived from those measured.
  const FunctionSize* base = sizes.measured.front();
  if (!settings.scale_from && sizes.wanted.back() != base &&
      !holds_every_layer(results, {platform.choice(*base), settings.threads}, models)) {
    all += static_cast<int>(models.size()) * layers;
    FUNCPIPE_TRY_VOID(measure(sizes.wanted.back()));
    sizes.measured.insert(sizes.measured.begin(), sizes.wanted.back());
  }

  Profile profile;
  profile.model = model;
  profile.platform = platform.name;
  profile.machine = machine(*cloud);
  profile.date = today();
  profile.optimizer = settings.optimizer;
  profile.vcpu_speed = settings.vcpu_speed.value_or(cloud->embedded() ? platform.vcpu_speed : 1);
  profile.vcpu_speed_given = settings.vcpu_speed.has_value() || !cloud->embedded();
  std::vector<const FunctionSize*> measured_sizes(sizes.measured.rbegin(), sizes.measured.rend());
  std::erase_if(measured_sizes, [&](const FunctionSize* function) { return too_small.contains(function); });
  for (const FunctionSize* function : measured_sizes) {
    const OptionMeasurement& measured = *results.option({platform.choice(*function), settings.threads});
    profile.options.push_back({.memory_mb = function->memory_mb,
                               .vcpus = function->vcpus,
                               .threads = settings.threads,
                               .origin = Origin::measured,
                               .cold_start = measured.cold_start / profile.vcpu_speed,
                               .update_per_byte = measured.update_per_byte / profile.vcpu_speed,
                               .transfer_cpu_per_byte = measured.transfer_cpu_per_byte / profile.vcpu_speed,
                               .transfer_cpu_per_request = measured.transfer_cpu_per_request / profile.vcpu_speed});
    profile.base_memory = std::max(profile.base_memory, measured.base_memory);
  }
  if (profile.options.empty())
    return fail(ErrorCode::invalid_input,
                fmt::format("no function of {} MB or less holds a worker", sizes.measured.front()->memory_mb), {},
                "choose larger sizes with --memory");
  for (const ModelDescription& at : models) {
    MicroBatchProfile measured{at.micro_batch, std::vector<LayerSizes>(every.size()), {}};
    for (const FunctionSize* function : measured_sizes) {
      std::vector<LayerTime>& times = measured.times.emplace_back();
      for (const int i : every) {
        const LayerMeasurement& layer =
            *results.layer({{platform.choice(*function), settings.threads}, at.micro_batch, i});
        times.push_back(at_speed(layer.time, profile.vcpu_speed));
        // Sizes are the same on every function; the largest that held the layer says.
        if (layer.time.fits) measured.sizes[static_cast<std::size_t>(i)] = layer.sizes;
      }
    }
    profile.micro_batches.push_back(std::move(measured));
  }

  if (sizes.wanted.size() > sizes.measured.size()) {
    auto from = std::ranges::find(measured_sizes, base);
    if (from == measured_sizes.end()) --from;
    const SizeChoice measured = platform.choice(**from);
    const Size one{measured, settings.threads}, two{measured, 2};
    if (settings.threads == 1) {
      progress.step("measuring the heaviest layers with two threads");
      const ModelDescription& at = models.back();  // the more work an operation is, the better threads share it
      const std::vector<int> heavy = heaviest_layers(results, one, at);
      FUNCPIPE_TRY_VOID(measuring.measure_layers(two, at, heavy, [](int) {}));
      Seconds with_one = 0, with_two = 0;
      for (const int i : heavy) {
        const LayerMeasurement& fast = *results.layer({two, at.micro_batch, i});
        if (!fast.time.fits) continue;
        with_one += results.layer({one, at.micro_batch, i})->least;
        with_two += fast.least;
      }
      if (with_two > 0) profile.parallel_efficiency = std::clamp(with_one / with_two - 1, 0.0, 1.0);
      progress.step(fmt::format("a second thread adds {:.0f}% to the speed of one{}", 100 * profile.parallel_efficiency,
                                profile.parallel_efficiency < 0.2
                                    ? "; more if other programs kept this machine busy: then "
                                      "profile again when it is idle"
                                    : ""));
    }
    std::vector<WantedOption> wanted;
    for (const FunctionSize* function : sizes.wanted)
      if (!too_small.contains(function))
        wanted.push_back({function->memory_mb, function->vcpus, settings.derived_threads});
    derive_options(profile, static_cast<int>(from - measured_sizes.begin()), wanted, platform.limit_cpu);
  }
  return profile;
}

}  // namespace funcpipe
