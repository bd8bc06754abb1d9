// Finds parameters and buffers of a module that are one, because they lie in the same memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace funcpipe {

struct TensorAttribute {
  std::string name;  // in the state dict
  at::Tensor tensor;
  bool parameter = false;
  bool assigned = false;  // forward assigns another tensor to the name
};

// Returns for each attribute the index of the one that owns its memory; its own index if it shares none. The owner's
// memory has no gaps and contains all of the attribute's, so the attribute is a view of it (view_of). If several could
// be the owner, trainable parameters come first, then other parameters, then the order of `attributes`. Slices of one
// buffer without a common element are separate. Errors: invalid_input if a trainable parameter shares memory in part,
// if elements of a trainable parameter share memory with each other, or if an assigned attribute shares memory with
// others.
Result<std::vector<std::size_t>> owners_of_memory(const std::vector<TensorAttribute>& attributes);

// True if two tensors have an element of memory in common.
bool overlaps(const at::Tensor& a, const at::Tensor& b);

// Inserts, at the graph's insertion point, the view `part` of `owner`. `value` is the owner in the graph. `detached`:
// the view has no gradient.
torch::jit::Value* view_of(torch::jit::Value* value, const at::Tensor& owner, const at::Tensor& part, bool detached);

// Returns the tensor if its elements fill its storage without gaps, else a copy that does. The copy has the same
// strides if they leave no gaps, and it is a leaf with the same requires_grad.
at::Tensor compact(const at::Tensor& tensor);

}  // namespace funcpipe
