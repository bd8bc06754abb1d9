#include "cli/progress_line.h"

#include <algorithm>

#include "cli/progress.h"

namespace funcpipe {
namespace {

constexpr Seconds kPause = 0.1;
constexpr int kBar = 26, kLeastWidth = 20;  // columns

}  // namespace

void ProgressLine::show(double share, const std::string& words) {
  const Seconds now = clock_.now();
  if (!screen_.live || now < next_) return;
  next_ = now + kPause;
  drawn_ = true;
  screen_.write("\r\x1b[2K" +
                fitted(progress_bar(share, kBar) + " " + words, std::max(kLeastWidth, screen_.width() - 1)));
}

void ProgressLine::clear() {
  if (drawn_) screen_.write("\r\x1b[2K");
  drawn_ = false;
}

}  // namespace funcpipe
