#pragma once

#include <string>

#include "base/clock.h"
#include "cli/terminal.h"

namespace funcpipe {

// A bar and words in one line. On a live screen it is redrawn in place and removed at the end; elsewhere nothing is
// shown.
class ProgressLine {
 public:
  // Work that ends within `moment` seconds draws nothing.
  explicit ProgressLine(Screen screen, Seconds moment = 0) : screen_(std::move(screen)), next_(clock_.now() + moment) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `share` of the whole, from 0 to 1. Calls that follow each other too fast for the eye are skipped.
  void show(double share, const std::string& words);
  void clear();

 private:
  Screen screen_;
  SystemClock clock_;
  Seconds next_;
  bool drawn_ = false;
};

}  // namespace funcpipe
