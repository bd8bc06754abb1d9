// The gradients of a stage's parameters in one contiguous float32 buffer, in the parameters' order and without gaps: a
// parameter's .grad is a view into it, so autograd adds where synchronisation sends from and receives into.
//
// A parameter that no loss reaches has no gradient, which is not a gradient of zero: the optimiser leaves it alone,
// with no decay and no state. Whether one has must be the same for every replica, and for every stage that uses it. So
// one byte a parameter travels with the elements, in the slice in which the parameter begins: a sum has reached what
// one of its terms has. The buffer starts at -0, which is the neutral element of addition (IEEE 754, 6.3): what is
// added first keeps its bits.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule/program.h"
#include "store/store.h"

namespace funcpipe {

class FlatGradient {
 public:
  // Installs the views. `parameters`: float32 leaves whose elements fill their memory in any order of dimensions.
  explicit FlatGradient(const std::vector<at::Tensor>& parameters);

  std::int64_t elements() const;
  MutableBytes bytes(const Slice& slice);
  void add(const Slice& slice, ConstBytes staged);  // slice = slice + staged
  // Of each parameter that begins in the slice: 1 if it is reached, else 0.
  MutableBytes reached(const Slice& slice);

  // After every backward pass, before anything is sent: notes which parameters it reached.
  void note_reached();
  // Once everything is summed: .grad of what nothing reached, here or elsewhere, is undefined until clear().
  void withdraw_unreached();
  // All views are installed and nothing is reached.
  void clear();

 private:
  struct Part {
    at::Tensor parameter;
    at::Tensor view;           // its version counts what autograd adds to this part alone
    std::int64_t first = 0;    // of its elements
    std::int64_t version = 0;  // the view's when cleared
  };

  at::Tensor buffer_;
  std::vector<Part> parts_;
  std::vector<std::byte> reached_;  // by part
};

}  // namespace funcpipe
