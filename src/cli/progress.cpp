#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/counted.h"
#include "base/visible.h"

namespace funcpipe {
namespace {

constexpr Seconds kPlainInterval = 5;
constexpr int kLongestBar = 50;

std::string percent(double share) {
  return fmt::format("{:.2f}%", 100 * share);
}

std::string left_text(Seconds left) {
  return (left < 1e-3 ? std::string("0 s") : format_seconds(left)) + " left";
}

// Returns the epoch, counted from 1, in which the last of `iteration` iterations was.
std::int64_t epoch_number(std::int64_t iteration, std::int64_t steps_per_epoch) {
  return std::max<std::int64_t>(0, iteration - 1) / steps_per_epoch + 1;
}

// Joins as many parts as fit, from the most important to the least.
std::string joined(const std::vector<std::string>& parts, int width) {
  std::string line;
  for (const std::string& part : parts) {
    const std::string longer = line.empty() ? part : line + "  " + part;
    if (std::ssize(longer) > width && !line.empty()) break;
    line = longer;
  }
  return fitted(line, width);
}

}  // namespace

std::string progress_bar(double share, int width) {
  const int inside = std::max(1, width - 2);
  share = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0;
  const int full = static_cast<int>(std::floor(share * inside));
  std::string bar(static_cast<std::size_t>(full), '#');
  if (full < inside) bar += '>';
  bar.resize(static_cast<std::size_t>(inside), ' ');
  return "[" + bar + "]";
}

std::string fitted(const std::string& text, int width) {
  return text.substr(0, static_cast<std::size_t>(std::max(1, width)));
}

std::string epoch_line(const EpochResult& result) {
  std::string line = fmt::format("epoch {:.4g}: train loss {:.4f}", result.epoch, result.train_loss);
  if (result.train_accuracy) line += fmt::format(" ({} right)", percent(*result.train_accuracy));
  if (result.validation_loss) line += fmt::format(", validation loss {:.4f}", *result.validation_loss);
  if (result.validation_accuracy) line += fmt::format(" ({} right)", percent(*result.validation_accuracy));
  return line + ", after " + format_seconds(result.elapsed);
}

ProgressView::~ProgressView() {
  training_ends();
}

void ProgressView::step(const std::string& what) {
  print_line("  " + visible(what));
}

void ProgressView::training_starts(const JobSpec& spec) {
  training_ = true;
  steps_ = spec.steps;
  steps_per_epoch_ = std::max<std::int64_t>(1, spec.steps_per_epoch);
  epochs_ = static_cast<double>(steps_) / static_cast<double>(steps_per_epoch_);
  latest_.reset();
  if (screen_.live) {
    screen_.write("\033[?25l");  // hide the cursor while lines are redrawn
    draw();
  } else {
    print_line(
        fmt::format("training: {}, {:.4g} epoch{}", counted(steps_, "iteration"), epochs_, epochs_ == 1 ? "" : "s"));
  }
}

void ProgressView::progress(const TrainingProgress& progress) {
  latest_ = progress;
  if (screen_.live) {
    draw();
    return;
  }
  const Seconds now = clock_.now();
  if (now - last_line_ < kPlainInterval && progress.iteration < steps_) return;
  last_line_ = now;
  std::string line =
      fmt::format("epoch {}/{:.0f}  iteration {}/{}  loss {:.4f}", epoch_number(progress.iteration, steps_per_epoch_),
                  std::ceil(epochs_), progress.iteration, steps_, progress.loss);
  if (progress.accuracy) line += "  " + percent(*progress.accuracy);
  line += fmt::format("  {}/iteration  {:.0f} samples/s  {}  {}", format_seconds(progress.seconds_per_iteration),
                      progress.samples_per_second, format_dollars(progress.dollars), left_text(progress.left));
  print_line(line);
}

void ProgressView::epoch(const EpochResult& result) {
  print_line(epoch_line(result));
}

void ProgressView::training_ends() {
  if (!training_) return;
  training_ = false;
  if (!screen_.live) return;
  erase();
  screen_.write("\033[?25h");
}

void ProgressView::print_line(const std::string& line) {
  if (!screen_.live || drawn_lines_ == 0) {
    screen_.write(line + "\n");
    return;
  }
  erase();
  screen_.write(line + "\n");
  draw();
}

// Writes whole lines at once and clears each to its end after writing it. Nothing is blank in between, so it does not
// flicker.
void ProgressView::draw() {
  const int width = std::max(10, screen_.width() - 1);  // a full last column would wrap on some terminals
  std::vector<std::string> lines;
  if (!latest_) {
    lines.push_back(fitted(fmt::format("waiting for the first iterations of {}", steps_), width));
  } else {
    const double share = steps_ > 0 ? static_cast<double>(latest_->iteration) / static_cast<double>(steps_) : 0;
    const std::string head =
        fmt::format("epoch {}/{:.0f}  iteration {}/{} ", epoch_number(latest_->iteration, steps_per_epoch_),
                    std::ceil(epochs_), latest_->iteration, steps_);
    const std::string tail = fmt::format(" {:3.0f}%  {}", 100 * share, left_text(latest_->left));
    const int room = width - static_cast<int>(head.size() + tail.size());
    lines.push_back(fitted(head + (room >= 6 ? progress_bar(share, std::min(room, kLongestBar)) : "") + tail, width));
    std::vector<std::string> parts{fmt::format("loss {:.4f}", latest_->loss)};
    if (latest_->accuracy) parts.push_back(percent(*latest_->accuracy) + " right");
    parts.push_back(format_seconds(latest_->seconds_per_iteration) + "/iteration");
    parts.push_back(fmt::format("{:.0f} samples/s", latest_->samples_per_second));
    parts.push_back(format_dollars(latest_->dollars) + " so far");
    lines.push_back(joined(parts, width));
  }
  const bool narrower = width < drawn_width_;  // the terminal has wrapped the old lines
  std::string text;
  if (narrower) {
    erase();
  } else if (drawn_lines_ > 0) {
    text += fmt::format("\033[{}A\r", drawn_lines_);
  }
  drawn_width_ = 0;
  for (const std::string& line : lines) {
    text += line + "\033[K\n";
    drawn_width_ = std::max(drawn_width_, static_cast<int>(line.size()));
  }
  drawn_lines_ = static_cast<int>(lines.size());
  screen_.write(text);
}

void ProgressView::erase() {
  if (drawn_lines_ == 0) return;
  const int width = std::max(1, screen_.width());
  const int rows = drawn_lines_ * std::max(1, (drawn_width_ + width - 1) / width);
  screen_.write(fmt::format("\033[{}A\r\033[J", rows));
  drawn_lines_ = 0;
  drawn_width_ = 0;
}

}  // namespace funcpipe
