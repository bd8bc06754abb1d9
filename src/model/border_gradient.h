// The gradient of a border tensor exactly as autograd computed it. A leaf's .grad will not do: autograd clones a
// gradient that is no dense tensor (a slice of a concatenation's, say) into one, after which the kernels of the stage
// before round otherwise than in the uncut model.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace funcpipe {

class BorderGradient {
 public:
  // Makes `tensor`, which has no graph, require a gradient: one backward pass leaves it here. A tensor of whole numbers
  // (where a branch may give one) has none.
  explicit BorderGradient(const at::Tensor& tensor);

  // After backward: with the strides it was computed with. Undefined where nothing used the tensor.
  at::Tensor take();

 private:
  struct Sink;
  std::shared_ptr<Sink> sink_;
};

}  // namespace funcpipe
