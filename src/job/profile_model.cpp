#include "job/profile_model.h"

#include <algorithm>
#include <ctime>
#include <fstream>

#include "base/counted.h"
#include "job/cloud.h"
#include "job/deploy.h"
#include "job/layer_measuring.h"
#include "job/process_needs.h"
#include "job/profile_sizes.h"
#include "job/profiling_progress.h"
#include "job/results_folder.h"
#include "job/worker_tool.h"

namespace funcpipe {
namespace {

// Describes the model at each micro-batch size. The layers are the same at all of them.
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

// Describes the cloud for people, without the addresses of an embedded one, which differ from run to run.
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

// Of an earlier run with the same settings, what was measured.
Result<ProfilingProgress> open_results(const ResultsFolder& folder, const ModelDescription& model,
                                       const ProfileSettings& settings, const Platform& platform,
                                       const ProfileProgress& progress) {
  FUNCPIPE_TRY(results,
               ProfilingProgress::open(
                   folder.path() / "measured.json",
                   fmt::format("{} {} seed {} optimizer {} dilation {} repeats {}", model.fingerprint, platform.name,
                               settings.model.seed, settings.optimizer, settings.cloud.dilation, settings.repeats)));
  if (const auto known = static_cast<std::int64_t>(results.layer_count()); known > 0)
    progress.step(fmt::format("{} of an earlier run {} kept; delete {} to measure anew", counted(known, "result"),
                              known == 1 ? "is" : "are", folder.path().string()));
  return results;
}

// Fills in what does not depend on measurements.
Profile empty_profile(const ModelDescription& model, const ProfileSettings& settings, const Platform& platform,
                      const Cloud& cloud) {
  Profile profile;
  profile.model = model;
  profile.platform = platform.name;
  profile.machine = machine(cloud);
  profile.date = today();
  profile.optimizer = settings.optimizer;
  profile.vcpu_speed = settings.vcpu_speed.value_or(cloud.embedded() ? platform.vcpu_speed : 1);
  profile.vcpu_speed_given = settings.vcpu_speed.has_value() || !cloud.embedded();
  return profile;
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
  if (progress.may_measure) FUNCPIPE_TRY_VOID(progress.may_measure(model, platform));
  FUNCPIPE_TRY(folder, ResultsFolder::open(settings.folder));
  FUNCPIPE_TRY(results, open_results(folder, model, settings, platform, progress));
  progress.step(fmt::format("cutting it into its {}", counted(std::ssize(model.layers), "layer")));
  FUNCPIPE_TRY(files, worker.cut(settings.model, model.inputs, layer_by_layer(model), folder.staging() / "cut", stop));
  FUNCPIPE_TRY(cloud, Cloud::open(settings.cloud, platform, folder.cloud(), stop));
  progress.step(fmt::format("platform {}: {}", platform.name, cloud->description()));
  FUNCPIPE_TRY(common, function_template(*cloud, platform, settings.cloud.role, worker, LayerMeasuring::kPrefix));
  LayerMeasuring measuring(settings, platform, *cloud, std::move(common), results, stop);
  FUNCPIPE_TRY_VOID(measuring.publish(files, models));

  SizeBySize size_by_size(settings, progress, platform, models, std::move(sizes), measuring, results);
  FUNCPIPE_TRY_VOID(size_by_size.measure());
  Profile profile = empty_profile(model, settings, platform, *cloud);
  FUNCPIPE_TRY_VOID(size_by_size.write_measured(profile));
  FUNCPIPE_TRY_VOID(size_by_size.derive_others(profile));
  return profile;
}

}  // namespace funcpipe
