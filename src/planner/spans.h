// Sums over every span of consecutive layers, computed once per chain.
#pragma once

#include <vector>

#include "planner/chain.h"

namespace funcpipe {

struct Span {
  double parameters = 0, trainable = 0, buffers = 0;  // Bytes; a parameter that several layers use counts once.
  double activations = 0, working = 0;                // Bytes of one micro-batch: sum and largest.
  double shared_state = 0;                            // Bytes that replica 0 sends the others in every iteration.
  double tied = 0;                                    // Trainable bytes that layers outside the span use too.
  bool reads_input = false, reads_target = false;
};

class SpanTable {
 public:
  explicit SpanTable(const Chain& chain);
  const Span& at(int first, int end) const { return spans_[index(first, end)]; }
  Seconds forward(int option, int first, int end) const { return between(forward_[option], first, end); }
  Seconds backward(int option, int first, int end) const { return between(backward_[option], first, end); }
  Seconds warm_up(int option, int first, int end) const { return between(warm_up_[option], first, end); }
  // Returns whether the profile has times of all layers of the span on `option`, that is, whether each fits it alone.
  bool measured(int option, int first, int end) const { return missing_[option][end] == missing_[option][first]; }

 private:
  static Seconds between(const std::vector<Seconds>& before, int first, int end) { return before[end] - before[first]; }
  std::size_t index(int first, int end) const { return static_cast<std::size_t>(first) * (layers_ + 1) + end; }

  std::size_t layers_;
  std::vector<Span> spans_;
  std::vector<std::vector<Seconds>> forward_, backward_, warm_up_;  // [option][i]: sum of layers [0, i).
  std::vector<std::vector<int>> missing_;  // [option][i]: number of layers of [0, i) that do not fit alone.
};

}  // namespace funcpipe
