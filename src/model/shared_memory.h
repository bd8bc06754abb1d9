// Which parameters and buffers of a module are one, because they lie in the same memory.
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
  bool assigned = false;  // forward gives the name another tensor
};

// For each attribute the index of the one that stands for its memory; its own where it shares none. The owner's memory
// is dense and holds all of the attribute's, so the attribute is a view of it (view_of). Among those that could be the
// owner, trainable parameters come first, then other parameters, then the order of `attributes`. Slices of one buffer
// that have no element in common are separate.
// Error: invalid_input: memory shared in part, by a trainable parameter; elements of a trainable parameter that share
// memory among themselves; an assigned attribute that shares memory with others.
Result<std::vector<std::size_t>> owners_of_memory(const std::vector<TensorAttribute>& attributes);

// Whether two tensors have an element of memory in common.
bool overlaps(const at::Tensor& a, const at::Tensor& b);

// Inserts, at the graph's insertion point, what makes the view `part` of `owner`, whose value in the graph is `value`.
// `detached`: without its gradient.
torch::jit::Value* view_of(torch::jit::Value* value, const at::Tensor& owner, const at::Tensor& part, bool detached);

// The tensor itself if it is dense in a storage that holds nothing else, otherwise a copy that is: with the same
// strides if they leave no gaps. A leaf with the same requires_grad.
at::Tensor compact(const at::Tensor& tensor);

}  // namespace funcpipe
