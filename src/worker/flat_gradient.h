// The gradients of a stage's parameters in one contiguous float32 buffer, in the parameters' order and without gaps: a
// parameter's .grad is a view into it, so autograd adds where synchronisation sends from and receives into.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "schedule/program.h"
#include "store/store.h"

namespace funcpipe {

class FlatGradient {
 public:
  // Installs the views. `parameters`: contiguous float32 leaves.
  explicit FlatGradient(const std::vector<at::Tensor>& parameters);

  std::int64_t elements() const;
  MutableBytes bytes(const Slice& slice);
  void add(const Slice& slice, ConstBytes staged);  // slice = slice + staged
  void zero();

 private:
  at::Tensor buffer_;
};

}  // namespace funcpipe
