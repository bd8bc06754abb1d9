#pragma once

#include <string>

#include "base/clock.h"
#include "cli/terminal.h"

namespace funcpipe {

// A bar and words in one line, redrawn in place on a live screen and gone at the end; nothing elsewhere.
class ProgressLine {
 public:
  // What is over within `moment` draws nothing.
  explicit ProgressLine(Screen screen, Seconds moment = 0) : screen_(std::move(screen)), next_(clock_.now() + moment) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `share` of the whole, from 0 to 1. What comes sooner than the eye follows is left out.
  void show(double share, const std::string& words);
  void clear();

 private:
  Screen screen_;
  SystemClock clock_;
  Seconds next_;
  bool drawn_ = false;
};

}  // namespace funcpipe
