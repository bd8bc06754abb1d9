// The gradients of a stage's parameters in one contiguous float32 buffer, in the parameters' order and without gaps. A
// parameter's .grad is a view into it, so autograd adds to the same memory that synchronisation sends and receives.
//
// A parameter that no loss reaches has no gradient. That differs from a gradient of zero: the optimiser then leaves the
// parameter alone, with no decay and no state. All replicas, and all stages that use the parameter, must agree on it.
// So one byte for each parameter is sent with the elements, in the slice in which the parameter begins; a sum counts as
// reached if one of its terms is. The buffer starts as -0, the neutral element of addition (IEEE 754, 6.3), so the
// first term keeps its bits.
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
  // Makes each parameter's .grad a view of the buffer. `parameters` must be float32 leaves without gaps in their
  // memory; the order of their dimensions does not matter.
  explicit FlatGradient(const std::vector<at::Tensor>& parameters);

  std::int64_t elements() const;
  MutableBytes bytes(const Slice& slice);
  void add(const Slice& slice, ConstBytes staged);  // slice = slice + staged (float32 elements)
  // Returns one byte for each parameter that begins in the slice: 1 if it is reached, else 0.
  MutableBytes reached(const Slice& slice);

  // Notes which parameters a backward pass has reached. Call it after each one, before anything is sent.
  void note_reached();
  // Makes .grad of parameters that nothing reached, here or elsewhere, undefined until clear(). Call it when all is
  // summed.
  void withdraw_unreached();
  // Sets the buffer to -0 and installs all views. Afterwards nothing is reached.
  void clear();

 private:
  struct Part {
    at::Tensor parameter;
    at::Tensor view;           // its version counts what autograd adds to this part only
    std::int64_t first = 0;    // the part's first element in the buffer
    std::int64_t version = 0;  // the view's version at the last clear()
  };

  at::Tensor buffer_;
  std::vector<Part> parts_;
  std::vector<std::byte> reached_;  // one for each part
};

}  // namespace funcpipe
