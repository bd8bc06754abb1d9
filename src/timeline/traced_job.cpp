#include "timeline/traced_job.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "protocol/job_spec.h"
#include "timeline/chrome_trace.h"

namespace funcpipe {
namespace fs = std::filesystem;

Result<std::vector<Program>> training_programs(const Plan& plan, const ModelDescription& model) {
  const auto refuse = [](std::string what) {
    return fail(ErrorCode::invalid_input, std::move(what), "plan", "a plan belongs to the model it was made for");
  };
  if (!plan.fingerprint.empty() && !model.fingerprint.empty() && plan.fingerprint != model.fingerprint)
    return refuse(fmt::format("it was made for another model than this {}", model.source));
  int layer = 0;
  for (const StagePlan& stage : plan.stages) {
    if (stage.first_layer != layer || stage.end_layer <= layer)
      return refuse(
          fmt::format("a stage of layers {} to {} follows layer {}", stage.first_layer, stage.end_layer, layer));
    layer = stage.end_layer;
  }
  if (layer != std::ssize(model.layers))
    return refuse(fmt::format("its stages have {} layers, {} has {}", layer, model.source, model.layers.size()));
  if (plan.has_server() && plan.stage_count() > 1)
    return refuse(fmt::format("a parameter server serves no {} stages", plan.stage_count()));
  if (plan.micro_batch_count() < plan.replicas)
    return refuse(fmt::format("{} micro-batches for {} replicas", plan.micro_batch_count(), plan.replicas));
  std::vector<StageShape> shapes;
  shapes.reserve(plan.stages.size());
  for (int stage = 0; stage < plan.stage_count(); ++stage) shapes.push_back(stage_shape(plan, model, stage));
  std::vector<Program> programs;
  for (const WorkerId worker : plan.workers()) programs.push_back(training_program(plan, shapes, worker));
  return programs;
}

Result<TracedJob> load_traced_job(const fs::path& folder) {
  const auto wrong = [](Error error) {
    error.code = ErrorCode::invalid_input;
    return tl::unexpected<Error>(std::move(error));
  };
  auto json = read_json(folder / "job.json");
  if (!json) {
    if (json.error().hint.empty()) json.error().hint = "name the results folder of a job that funcpipe train finished";
    return wrong(std::move(json).error());
  }
  auto spec = job_spec_from_json(*json, (folder / "job.json").string());
  if (!spec) return wrong(std::move(spec).error());
  const fs::path trace = folder / "trace.json";
  std::error_code status;
  if (spec->config.metrics.trace_iterations == 0 || !fs::exists(trace, status))
    return fail(ErrorCode::invalid_input, "the job left no trace of its operations", trace.string(),
                "train it again with --metrics.trace_iterations 6, say");
  auto programs = training_programs(spec->plan, spec->model);
  if (!programs) return wrong(std::move(programs).error());
  auto text = read_file(trace);
  if (!text) return wrong(std::move(text).error());
  FUNCPIPE_TRY(events, read_chrome_trace(*text, *programs, trace.string()));
  return TracedJob{.name = spec->config.job.name,
                   .programs = std::move(*programs),
                   .events = std::move(events),
                   .widths = {1, spec->config.training.download_connections, spec->config.training.upload_connections}};
}

}  // namespace funcpipe
