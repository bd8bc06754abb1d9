#include "worker/trial.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/files.h"
#include "model/tensor_type.h"
#include "model/torch_error.h"
#include "protocol/wire.h"
#include "worker/loss.h"

namespace funcpipe {
namespace {

using nlohmann::json;

at::Tensor rows_of(const at::Tensor& rows, int samples) {
  return rows.index_select(0, at::arange(samples, at::kLong).remainder(rows.size(0)));
}

class Trial {
 public:
  Trial(const Model& model, const TrialRows& rows, const JobConfig::Model& settings)
      : model_(model), rows_(rows), settings_(settings) {}

  // Returns what the model says if it refuses so many samples; nullopt if it accepts them.
  Result<std::optional<std::string>> refusal(int samples, bool training) const {
    const c10::AutoGradMode no_graph(false);
    try {
      const Model::Run run = model_.run(inputs(samples, training), training);
      FUNCPIPE_TRY(loss, loss_of(run, samples, training));
      static_cast<void>(loss);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      return std::optional(first_lines(error));
    }
    return std::optional<std::string>();
  }

  // Tries the loss and the gradients of a training step. Returns what the model says if it refuses so many samples.
  Result<std::optional<std::string>> step(int samples, bool backward, json& answer) const {
    const c10::AutoGradMode with_graph(true);
    try {
      const Model::Inputs data = inputs(samples, true);
      const Model::Run run = model_.run(data, true);
      FUNCPIPE_TRY(loss, loss_of(run, samples, true));
      const auto value = loss.mean.item<double>();
      if (!std::isfinite(value)) {
        answer["loss_text"] = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
        answer["layer"] = model_.first_layer_gone_wrong(data, true);
      } else if (backward && loss.mean.requires_grad()) {
        const auto gradients =
            torch::autograd::grad({loss.mean}, run.parameters, {}, false, false, /*allow_unused=*/true);
        if (const std::string sparse = sparse_parameter(gradients); !sparse.empty())
          return fail(ErrorCode::invalid_input, fmt::format("the gradient of {} is a sparse tensor", sparse), {},
                      "make the embedding with sparse=False");
        answer["gradient"] = parameter_gone_wrong(gradients);
      }
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      return std::optional(first_lines(error));
    }
    return std::optional<std::string>();
  }

 private:
  // Returns the first parameter whose gradient is a sparse tensor; empty if there is none.
  std::string sparse_parameter(const std::vector<at::Tensor>& gradients) const {
    std::size_t next = 0;
    for (const ParameterDescription& parameter : model_.description().parameters) {
      if (!parameter.trainable) continue;
      if (next >= gradients.size()) break;
      const at::Tensor& gradient = gradients[next++];
      if (gradient.defined() && gradient.layout() != at::kStrided) return parameter.name;
    }
    return {};
  }

  // Searches from the loss back, because gradients of all layers before the origin are wrong, too. `gradients` are
  // those of the trainable parameters.
  std::string parameter_gone_wrong(const std::vector<at::Tensor>& gradients) const {
    const ModelDescription& model = model_.description();
    std::vector<std::size_t> place(model.parameters.size(), gradients.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < place.size(); ++i)
      if (model.parameters[i].trainable) place[i] = next++;
    for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer) {
      for (const int index : layer->parameters) {
        const std::size_t at = place[static_cast<std::size_t>(index)];
        if (at < gradients.size() && gradients[at].defined() && !at::isfinite(gradients[at]).all().item<bool>())
          return model.parameters[static_cast<std::size_t>(index)].name;
      }
    }
    return {};
  }

  const TrialRows::Pair& rows(bool training) const { return training ? rows_.training : rows_.validation; }

  Model::Inputs inputs(int samples, bool training) const {
    return trial_inputs(rows(training), model_.description().inputs, samples);
  }

  Result<LossResult> loss_of(const Model::Run& run, int samples, bool training) const {
    const at::Tensor stored = rows_of(rows(training).target, samples);
    return compute_loss(settings_, run.outputs, stored.to(settings_.loss == "mse" ? at::kFloat : at::kLong));
  }

  const Model& model_;
  const TrialRows& rows_;
  const JobConfig::Model& settings_;
};

// Returns the fewest samples that the model accepts, among the first few numbers and those in `tried`; 0: none.
Result<int> smallest_taken(const Trial& trial, const std::vector<int>& tried, bool training) {
  constexpr int kFirst = 16;
  std::set<int> candidates(tried.begin(), tried.end());
  for (int few = 1; few <= std::min(kFirst, 2 * tried.back()); ++few) candidates.insert(few);
  for (const int samples : candidates) {
    FUNCPIPE_TRY(refused, trial.refusal(samples, training));
    if (!refused) return samples;
  }
  return 0;
}

}  // namespace

Result<TrialRows> read_trial_rows(const std::filesystem::path& file) {
  FUNCPIPE_TRY(bytes, read_file(file));
  FUNCPIPE_TRY(wires, decode_tensors(as_bytes(bytes), file.string()));
  std::vector<at::Tensor> tensors;
  for (const WireTensor& wire : wires) {
    const auto type = dtype_from_name(std::string(to_string(wire.type)));
    if (!type || wire.shape.empty() || wire.shape.front() < 1)
      return fail(ErrorCode::corrupt, "these are no rows of data", file.string());
    tensors.push_back(at::from_blob(const_cast<std::byte*>(wire.bytes.data()), wire.shape, *type).clone());
  }
  if (tensors.size() != 2 && tensors.size() != 4)
    return fail(ErrorCode::corrupt, "rows of input and target were expected", file.string());
  TrialRows rows;
  rows.training = {tensors[0], tensors[1]};
  if (tensors.size() == 4) rows.validation = {tensors[2], tensors[3]};
  return rows;
}

Model::Inputs trial_inputs(const TrialRows::Pair& rows, const std::vector<TensorSpec>& inputs, int samples) {
  Model::Inputs data;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto type = dtype_from_name(inputs[i].dtype);
    const at::Tensor stored = rows_of(i == 0 ? rows.input : rows.target, samples);
    data.push_back(type ? stored.to(*type) : stored);
  }
  return data;
}

Result<json> try_model(const Model& model, const TrialRows& rows, const JobConfig::Model& settings,
                       const TrialSizes& sizes) {
  const Trial trial(model, rows, settings);
  json answer{{"failure", nullptr}, {"loss_text", ""}, {"layer", ""}, {"gradient", ""}};
  for (const bool training : {true, false}) {
    std::vector<int> tried = training ? sizes.training : sizes.evaluation;
    std::ranges::sort(tried);
    for (const int samples : tried) {
      const bool is_step = training && samples == tried.front();
      // The model was described with this size, so it accepts it.
      if (training && !is_step && samples == model.description().micro_batch) continue;
      FUNCPIPE_TRY(refused, is_step ? trial.step(samples, sizes.backward, answer) : trial.refusal(samples, training));
      if (!refused) continue;
      FUNCPIPE_TRY(smallest, smallest_taken(trial, tried, training));
      answer["failure"] = {{"training", training}, {"samples", samples}, {"message", *refused}, {"smallest", smallest}};
      return answer;
    }
  }
  return answer;
}

}  // namespace funcpipe
