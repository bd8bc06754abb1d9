#include "worker/model_verbs.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "model/model.h"
#include "model/numerics.h"
#include "plan/plan.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

Result<Model> open(const ModelChoice& model, const TrialRows* rows = nullptr) {
  if (model.rows.empty() || model.inputs.empty())
    return Model::load(model.source, model.inputs, model.seed, model.output);
  std::optional<TrialRows> own;
  if (rows == nullptr) {
    FUNCPIPE_TRY(read, read_trial_rows(model.rows));
    rows = &own.emplace(std::move(read));
  }
  const std::vector<Model::Inputs> choices{
      trial_inputs(rows->training, model.inputs, static_cast<int>(model.inputs.front().shape.front()))};
  return Model::load_on(model.source, choices, model.seed, model.output);
}

}  // namespace

Result<nlohmann::json> describe_model(const ModelChoice& model) {
  FUNCPIPE_TRY(opened, open(model));
  return to_json(opened.description());
}

Result<nlohmann::json> describe_model_on(const ModelChoice& model,
                                         const std::vector<std::vector<TensorSpec>>& choices) {
  FUNCPIPE_TRY(rows, read_trial_rows(model.rows));
  std::vector<Model::Inputs> data;
  for (const auto& inputs : choices)
    data.push_back(trial_inputs(rows.training, inputs, static_cast<int>(inputs.front().shape.front())));
  FUNCPIPE_TRY(opened, Model::load_on(model.source, data, model.seed, model.output));
  return nlohmann::json{{"model", to_json(opened.description())},
                        {"choice", opened.chosen()},
                        {"refusal", opened.first_refusal()},
                        {"numerics", numerics()}};
}

Result<nlohmann::json> try_model(const ModelChoice& model, const JobConfig::Model& settings, const TrialSizes& sizes) {
  FUNCPIPE_TRY(rows, read_trial_rows(model.rows));
  FUNCPIPE_TRY(opened, open(model, &rows));
  return try_model(opened, rows, settings, sizes);
}

Result<nlohmann::json> cut_model(const ModelChoice& model, const std::filesystem::path& plan_file,
                                 const std::filesystem::path& folder) {
  FUNCPIPE_TRY(plan_json, read_json(plan_file));
  FUNCPIPE_TRY(plan, plan_from_json(plan_json, plan_file.string()));
  FUNCPIPE_TRY(opened, open(model));
  if (!plan.fingerprint.empty() && plan.fingerprint != opened.description().fingerprint)
    return fail(ErrorCode::invalid_input, "the plan was made for another model", plan_file.string(),
                "make a new plan for this model");
  const auto layers = static_cast<int>(opened.description().layers.size());
  nlohmann::json paths = nlohmann::json::array();
  for (int k = 0; k < plan.stage_count(); ++k) {
    const StagePlan& stage = plan.stages[static_cast<std::size_t>(k)];
    const int first = stage.first_layer, end = stage.end_layer;
    if (first < 0 || end <= first || end > layers)
      return fail(ErrorCode::invalid_input,
                  fmt::format("stage {} holds layers {} to {}, the model has {}", k, first, end - 1, layers),
                  plan_file.string(), "cut between 0 and the model's number of layers");
    FUNCPIPE_TRY(archive, opened.stage(first, end));
    const std::filesystem::path path = folder / fmt::format("stage-{:02}.pt", k);
    FUNCPIPE_TRY_VOID(write_file(path, archive));
    paths.push_back(path.string());
  }
  return nlohmann::json{{"stages", std::move(paths)}};
}

Result<nlohmann::json> assemble_model(const ModelChoice& model, const std::vector<std::filesystem::path>& stages,
                                      const std::filesystem::path& folder) {
  FUNCPIPE_TRY(opened, open(model));
  for (const std::filesystem::path& stage : stages) {
    FUNCPIPE_TRY(archive, read_file(stage));
    auto absorbed = opened.absorb(archive);
    if (!absorbed) {
      if (absorbed.error().place.empty()) absorbed.error().place = stage.string();
      return tl::unexpected(std::move(absorbed).error());
    }
  }
  const std::filesystem::path module = folder / "model.pt", state = folder / "state_dict.pt";
  FUNCPIPE_TRY_VOID(opened.save_module(module));
  FUNCPIPE_TRY_VOID(opened.save_state_dict(state));
  return nlohmann::json{{"module", module.string()}, {"state_dict", state.string()}};
}

}  // namespace funcpipe
