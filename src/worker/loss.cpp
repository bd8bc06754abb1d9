#include "worker/loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>
#include <fmt/ranges.h>

#include "config/class_axis.h"

namespace funcpipe {
namespace {

std::string shape_of(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ","));
}

// Each statement does one operation: C++ may evaluate operands in any order, and the order of operations changes the
// bits of gradients.
Result<LossResult> cross_entropy(const at::Tensor& output, const at::Tensor& target, const std::string& wanted_axis) {
  const ClassAxis axis = class_axis(output.sizes().vec(), target.sizes().vec(), wanted_axis);
  const bool second = axis == ClassAxis::second;
  if (axis == ClassAxis::neither)
    return fail(ErrorCode::invalid_input,
                fmt::format("cross-entropy needs an output of one class axis more than the target; the output is {}, "
                            "the target {}",
                            shape_of(output), shape_of(target)),
                {}, "let the model end in [samples, classes], set model.class_axis, or choose another model.loss");
  if (at::isFloatingType(target.scalar_type()))
    return fail(ErrorCode::invalid_input, "cross-entropy needs whole numbers as targets, the data set has fractions",
                {}, "save the targets as class numbers, or set model.loss to mse");
  const std::int64_t classes = output.size(second ? 1 : -1);
  const at::Tensor numbers = target.to(at::kLong);
  const at::Tensor flat_target = second ? numbers : numbers.reshape({-1});
  const at::Tensor flat_output = second || output.dim() == 2 ? output : output.reshape({-1, classes});
  LossResult result;
  if (flat_target.numel() > 0) {
    const std::int64_t least = flat_target.min().item<std::int64_t>();
    const std::int64_t most = flat_target.max().item<std::int64_t>();
    if (least < 0 || most >= classes)
      return fail(ErrorCode::invalid_input,
                  fmt::format("the targets reach from {} to {}, the model has {} classes", least, most, classes), {},
                  "classes count from 0; give the model as many outputs as there are classes");
  }
  result.mean = at::cross_entropy_loss(flat_output, flat_target);
  const at::Tensor predicted = flat_output.detach().argmax(1);
  result.correct = predicted.eq(flat_target).sum().item<std::int64_t>();
  result.predictions = flat_target.numel();
  return result;
}

}  // namespace

Result<LossResult> compute_loss(const JobConfig::Model& settings, const std::vector<at::Tensor>& outputs,
                                const at::Tensor& target) {
  const std::string& name = settings.loss;
  if (outputs.empty()) return fail(ErrorCode::invalid_input, "the model has no output to take a loss from");
  if (name == "cross-entropy") return cross_entropy(outputs[0], target, settings.class_axis);
  LossResult result;
  if (name == "mse") {
    const at::Tensor wanted = target.to(at::kFloat);
    if (wanted.sizes() != outputs[0].sizes())
      return fail(ErrorCode::invalid_input,
                  fmt::format("mse needs equal shapes; the output is {}, the target {}", shape_of(outputs[0]),
                              shape_of(target)),
                  {}, "give the targets the shape of the model's output");
    result.mean = at::mse_loss(outputs[0], wanted);
    return result;
  }
  if (!at::isFloatingType(outputs[0].scalar_type()))
    return fail(ErrorCode::invalid_input, "model.loss is \"model\" but the first output is no floating-point loss", {},
                "let forward return the loss first");
  result.mean = outputs[0].numel() == 1 ? outputs[0].reshape({}) : outputs[0].mean();
  return result;
}

}  // namespace funcpipe
