// Receives the gradient of a border tensor exactly as autograd computed it. A leaf's .grad does not: autograd copies a
// gradient that is not dense (such as that of a slice of a concatenation) into a dense one, and then the kernels of the
// stage before round differently than in the uncut model.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace funcpipe {

class BorderGradient {
 public:
  // Makes `tensor`, which must have no graph, require a gradient. One backward pass stores the gradient here. A tensor
  // of whole numbers, which a branch may give, has none.
  explicit BorderGradient(const at::Tensor& tensor);

  // Returns the gradient after the backward pass, with the strides it was computed with; undefined if nothing used the
  // tensor.
  at::Tensor take();

 private:
  struct Sink;
  std::shared_ptr<Sink> sink_;
};

}  // namespace funcpipe
