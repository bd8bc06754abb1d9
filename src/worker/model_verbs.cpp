#include "worker/model_verbs.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/files.h"
#include "model/model.h"
#include "plan/plan.h"

namespace funcpipe {
namespace {

tl::unexpected<Error> bad_input(const std::string& text) {
  return fail(ErrorCode::invalid_input, fmt::format("\"{}\" is no input", text), "--inputs",
              "write the type and the shape as in float32:16x1x28x28, dimension 0 being the micro-batch");
}

Result<TensorSpec> parse_short(const std::string& text) {
  TensorSpec spec;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return bad_input(text);
  spec.dtype = text.substr(0, colon);
  if (element_size(spec.dtype) == 0) return bad_input(text);
  std::string_view rest = std::string_view(text).substr(colon + 1);
  while (true) {
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
    if (error != std::errc() || extent < 1) return bad_input(text);
    spec.shape.push_back(extent);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) return spec;
    if (rest.front() != 'x') return bad_input(text);
    rest.remove_prefix(1);
  }
}

Result<std::vector<TensorSpec>> parse_long(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return bad_input(text);
  std::vector<TensorSpec> specs;
  try {
    for (const auto& row : json)
      specs.push_back({row.at("dtype").get<std::string>(), row.at("shape").get<std::vector<std::int64_t>>()});
  } catch (const nlohmann::json::exception&) {
    return bad_input(text);
  }
  for (const TensorSpec& spec : specs)
    if (element_size(spec.dtype) == 0) return bad_input(text);
  return specs;
}

Result<Model> open(const ModelChoice& model) {
  return Model::load(model.source, model.inputs, model.seed);
}

}  // namespace

Result<std::vector<TensorSpec>> parse_inputs(const std::vector<std::string>& texts) {
  std::vector<TensorSpec> specs;
  for (const std::string& text : texts) {
    if (text.starts_with('[')) {
      FUNCPIPE_TRY(several, parse_long(text));
      specs.insert(specs.end(), several.begin(), several.end());
    } else {
      FUNCPIPE_TRY(one, parse_short(text));
      specs.push_back(std::move(one));
    }
  }
  return specs;
}

Result<nlohmann::json> describe_model(const ModelChoice& model) {
  FUNCPIPE_TRY(opened, open(model));
  return to_json(opened.description());
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
    const auto [first, end, memory] = plan.stages[static_cast<std::size_t>(k)];
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
