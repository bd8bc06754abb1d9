// Finds what must stay whole when a flattened model is cut: spans of its nodes, and values that may have no content.
#pragma once

#include <string>
#include <vector>

#include "model/flat_model.h"

namespace funcpipe {

// A span of nodes that only one stage can run: it contains the border positions (first, last]. `why` says the reason.
struct Whole {
  int first = 0, last = 0;
  std::string why;
};

// Returns two kinds of span. What torch.autograd.grad goes back through must be in one stage: from the making of the
// tensors it differentiates by to the call. And so must code in which forward switches grad mode, because that mode
// belongs to one thread.
std::vector<Whole> whole_spans(const FlatModel& model);

// True if forward may leave the value unset because it returned before. Then only the value's type is known.
bool may_be_unset(const torch::jit::Value* value);

}  // namespace funcpipe
