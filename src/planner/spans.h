// Sums over every span of layers that do not depend on the function's size, made once per chain.
#pragma once

#include <vector>

#include "planner/chain.h"

namespace funcpipe {

struct Span {
  double parameters = 0, trainable = 0, buffers = 0;  // bytes; a shared parameter once
  double activations = 0, working = 0;                // bytes of one micro-batch: sum, largest
  double shared_state = 0;                            // bytes that replica 0 sends the others every iteration
  double tied = 0;                                    // trainable bytes shared with layers outside
  bool reads_input = false, reads_target = false;
};

class SpanTable {
 public:
  explicit SpanTable(const Chain& chain);
  const Span& at(int first, int end) const { return spans_[index(first, end)]; }
  Seconds forward(int option, int first, int end) const { return between(forward_[option], first, end); }
  Seconds backward(int option, int first, int end) const { return between(backward_[option], first, end); }
  Seconds warm_up(int option, int first, int end) const { return between(warm_up_[option], first, end); }
  // Whether every layer of the span was measured, or could be, on `option`.
  bool measured(int option, int first, int end) const { return missing_[option][end] == missing_[option][first]; }

 private:
  static Seconds between(const std::vector<Seconds>& before, int first, int end) { return before[end] - before[first]; }
  std::size_t index(int first, int end) const { return static_cast<std::size_t>(first) * (layers_ + 1) + end; }

  std::size_t layers_;
  std::vector<Span> spans_;
  std::vector<std::vector<Seconds>> forward_, backward_, warm_up_;  // [option][i]: of layers [0, i)
  std::vector<std::vector<int>> missing_;  // [option][i]: layers of [0, i) that do not fit alone
};

}  // namespace funcpipe
