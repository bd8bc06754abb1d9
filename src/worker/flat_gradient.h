// The gradients of a stage's parameters in one contiguous float32 buffer, in the parameters' order and without gaps: a
// parameter's .grad is a view into it, so autograd adds where synchronisation sends from and receives into.
//
// A parameter that no loss reaches has no gradient, which is not a gradient of zero: the optimiser leaves it alone,
// with no decay and no state. Whether one has must be the same for every replica, and for every stage that uses it. So
// it travels in the sums themselves: the buffer starts at -0, which is the neutral element of addition and comes out of
// a sum only if it is in every term (IEEE 754, 6.3), and a pass that reaches a parameter leaves its first element
// another value, +0 at the least.
#pragma once

#include <ATen/core/Tensor.h>

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
    bool reached = false;      // by a pass here
  };
  float* first_element(const Part& part);

  at::Tensor buffer_;
  std::vector<Part> parts_;
};

}  // namespace funcpipe
