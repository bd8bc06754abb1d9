#include "worker/divergence.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "model/finite.h"

namespace funcpipe {
namespace {

constexpr const char* kHint =
    "lower optimizer.lr or warm it up with lr_scheduler.warmup_steps, or scale the input and the target";

std::string number(double loss) {
  return std::isnan(loss) ? "nan" : loss > 0 ? "inf" : "-inf";
}

// Returns the layer and name of the stage's weight that is not finite; of several, the one nearest to the loss.
std::optional<std::string> weight_gone_wrong(const JobSpec& spec, const Stage& stage) {
  const std::vector<int>& indices = stage.parameter_indices();
  for (int layer = stage.end_layer() - 1; layer >= stage.first_layer(); --layer) {
    const LayerDescription& described = spec.model.layers[static_cast<std::size_t>(layer)];
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (std::ranges::find(described.parameters, indices[i]) == described.parameters.end()) continue;
      if (at::isfinite(stage.parameters()[i].detach()).all().item<bool>()) continue;
      return fmt::format("layer {} ({})", described.name,
                         spec.model.parameters[static_cast<std::size_t>(indices[i])].name);
    }
  }
  return std::nullopt;
}

std::string since_when(const std::string& weight, std::int64_t iteration) {
  if (iteration == 0) return fmt::format("weights of {} are not finite before any training", weight);
  return fmt::format("the gradient of {} was not finite in iteration {}, and so its weights are not", weight,
                     iteration - 1);
}

}  // namespace

std::vector<at::Tensor> divergence_mark(double loss, std::size_t gradients) {
  std::vector<at::Tensor> mark(gradients, at::empty({0}));
  mark.push_back(at::full({}, loss, at::kDouble));
  return mark;
}

std::optional<double> marked_divergence(const std::vector<at::Tensor>& received, std::size_t gradients) {
  if (received.size() != gradients + 1 || received.back().scalar_type() != at::kDouble || received.back().dim() != 0)
    return std::nullopt;
  return received.back().item<double>();
}

Result<> find_divergence(DivergentPass pass) {
  const JobSpec& spec = pass.spec;
  const auto began = [&](const std::string& where) {
    return fail(ErrorCode::failed,
                fmt::format("the loss is {} in iteration {}: {}", number(pass.loss), pass.iteration, where), {}, kHint);
  };
  if (const auto weight = weight_gone_wrong(spec, pass.stage)) return began(since_when(*weight, pass.iteration));
  if (first_gone_wrong(pass.data))
    return began(fmt::format("the rows of micro-batch {} hold numbers that are not finite", pass.micro_batch));
  if (first_gone_wrong(pass.border)) return {};
  const c10::AutoGradMode with_graph(true);
  std::optional<int> found;
  pass.stage.forward(std::move(pass.border), pass.data, {spec.config.job.seed, pass.iteration, pass.micro_batch},
                     [&](int layer, const std::vector<at::Tensor>& tensors) {
                       if (first_gone_wrong(tensors)) found = layer;
                       return found.has_value();
                     });
  if (found)
    return began(fmt::format("the output of layer {} is the first that is not finite",
                             spec.model.layers[static_cast<std::size_t>(*found)].name));
  if (pass.last_stage) return began("every layer's output is finite, so the loss itself is at fault");
  return pass.first_stage ? began("no layer's output was found to be at fault") : Result<>{};
}

Result<> check_weights(const JobSpec& spec, const Stage& stage, std::int64_t iterations) {
  if (const auto weight = weight_gone_wrong(spec, stage))
    return fail(ErrorCode::failed, since_when(*weight, iterations), {}, kHint);
  return {};
}

}  // namespace funcpipe
