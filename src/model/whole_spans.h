// What must stay whole when a flattened model is cut: spans of its nodes, and values that may have no content to send.
#pragma once

#include <string>
#include <vector>

#include "model/flat_model.h"

namespace funcpipe {

// Spans of nodes that only one stage can run: border positions (first, last], and why.
struct Whole {
  int first = 0, last = 0;
  std::string why;
};

// What torch.autograd.grad goes back through lies in one stage: between the making of what it differentiates by and the
// call. And grad mode, where forward switches it, is one thread's.
std::vector<Whole> whole_spans(const FlatModel& model);

// Whether a way through forward leaves the value unset: one that returned before, of whose value only the type is
// known.
bool may_be_unset(const torch::jit::Value* value);

}  // namespace funcpipe
