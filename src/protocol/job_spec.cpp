#include "protocol/job_spec.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "config/options.h"
#include "protocol/json_fields.h"
#include "schedule/plan_file.h"

namespace funcpipe {

using nlohmann::json;

json to_json(const JobSpec& spec) {
  return {{"version", JobSpec::kVersion},
          {"id", spec.id},
          {"config", to_json(spec.config)},
          {"plan", to_json(spec.plan)},
          {"model", to_json(spec.model)},
          {"train", to_json(spec.train)},
          {"validation", to_json(spec.validation)},
          {"steps", spec.steps},
          {"steps_per_epoch", spec.steps_per_epoch},
          {"optimizer_copies", spec.state.optimizer_copies},
          {"input_cache", spec.state.input_cache},
          {"target_cache", spec.state.target_cache},
          {"numerics", spec.numerics},
          {"save_seconds", spec.hand_over.save},
          {"load_seconds", spec.hand_over.load},
          {"snapshot_seconds", spec.recovery.period},
          {"snapshot_iterations", spec.recovery.iterations}};
}

Result<JobSpec> job_spec_from_json(const json& source, const std::string& place) {
  JobSpec spec;
  Fields fields(source, place);
  fields
      .version(JobSpec::kVersion,
               "funcpipe and funcpipe-worker must be of one release: build both, and train again (docs/formats/job.md)")
      .read("id", spec.id)
      .read("steps", spec.steps)
      .read("steps_per_epoch", spec.steps_per_epoch)
      .read("optimizer_copies", spec.state.optimizer_copies)
      .read("input_cache", spec.state.input_cache)
      .read("target_cache", spec.state.target_cache)
      .read("numerics", spec.numerics)
      .read("save_seconds", spec.hand_over.save)
      .read("load_seconds", spec.hand_over.load)
      .read("snapshot_seconds", spec.recovery.period)
      .read("snapshot_iterations", spec.recovery.iterations);
  const json& config = fields.member("config");
  const json& plan = fields.member("plan");
  const json& model = fields.member("model");
  const json& train = fields.member("train");
  const json& validation = fields.member("validation");
  FUNCPIPE_TRY_VOID(fields.done());
  FUNCPIPE_TRY(read_config, job_config_from_json(config, place));
  FUNCPIPE_TRY(read_plan, plan_from_json(plan, place));
  FUNCPIPE_TRY(read_model, model_description_from_json(model, place));
  FUNCPIPE_TRY(read_train, dataset_manifest_from_json(train, place + " train"));
  FUNCPIPE_TRY(read_validation, dataset_manifest_from_json(validation, place + " validation"));
  spec.config = std::move(read_config);
  spec.plan = std::move(read_plan);
  spec.model = std::move(read_model);
  spec.train = std::move(read_train);
  spec.validation = std::move(read_validation);
  return spec;
}

}  // namespace funcpipe
