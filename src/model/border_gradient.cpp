#include "model/border_gradient.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

#include "base/check.h"

namespace funcpipe {

// Ends the graph as AccumulateGrad does, but does not accumulate.
struct BorderGradient::Sink final : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    FUNCPIPE_CHECK(!gradient.defined(), "two backward passes through one border");
    gradient = std::move(gradients[0]);
    return {};
  }
  at::Tensor gradient;
};

BorderGradient::BorderGradient(const at::Tensor& tensor) : sink_(std::make_shared<Sink>()) {
  FUNCPIPE_CHECK(!tensor.requires_grad(), "border tensor of type {}", c10::toString(tensor.scalar_type()));
  if (!at::isFloatingType(tensor.scalar_type()) && !at::isComplexType(tensor.scalar_type())) return;
  const auto input = sink_->add_input_metadata(tensor);
  torch::autograd::impl::set_gradient_edge(tensor, {sink_, input});
}

at::Tensor BorderGradient::take() {
  return std::exchange(sink_->gradient, {});
}

}  // namespace funcpipe
