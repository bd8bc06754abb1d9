#include "cli/progress.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Just enough of a terminal to see what stays on it: text, newline, carriage return, cursor up, erase to the end of the
// line or of the screen.
class FakeTerminal {
 public:
  explicit FakeTerminal(int width) : width_(width) {}

  void write(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\n') {
        down();
        column_ = 0;
      } else if (c == '\r') {
        column_ = 0;
      } else if (c == '\033') {
        i = control(text, i + 1);
      } else {
        if (column_ == width_) {
          down();
          column_ = 0;
          wrapped = true;
        }
        std::string& line = lines_[row_];
        if (line.size() <= column_) line.resize(column_ + 1, ' ');
        line[column_++] = c;
      }
    }
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> shown = lines_;
    for (std::string& line : shown) line.erase(line.find_last_not_of(' ') + 1);
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }
  bool cursor_visible() const { return cursor_visible_; }
  bool wrapped = false;

 private:
  void down() {
    if (++row_ == lines_.size()) lines_.emplace_back();
  }
  std::size_t control(std::string_view text, std::size_t i) {
    std::string argument;
    for (++i; i < text.size() && !std::isalpha(static_cast<unsigned char>(text[i])); ++i) argument += text[i];
    switch (text[i]) {
      case 'A':
        row_ -= std::min<std::size_t>(row_, std::stoul(argument));
        break;
      case 'K':
        lines_[row_].resize(std::min(column_, lines_[row_].size()));
        break;
      case 'J':
        lines_.resize(row_ + 1);
        lines_[row_].resize(std::min(column_, lines_[row_].size()));
        break;
      case 'l':
        cursor_visible_ = false;
        break;
      case 'h':
        cursor_visible_ = true;
        break;
      default:
        ADD_FAILURE() << "control sequence this terminal does not know: " << text[i];
    }
    return i;
  }

  const std::size_t width_;
  std::vector<std::string> lines_{""};
  std::size_t row_ = 0, column_ = 0;
  bool cursor_visible_ = true;
};

JobSpec hundred_iterations() {
  JobSpec spec;
  spec.steps = 100;
  spec.steps_per_epoch = 50;
  return spec;
}

TrainingProgress at(std::int64_t iteration) {
  TrainingProgress progress;
  progress.iteration = iteration;
  progress.loss = 2.0 / static_cast<double>(iteration);
  progress.accuracy = 0.5;
  progress.seconds_per_iteration = 0.25;
  progress.samples_per_second = 256;
  progress.dollars = 0.00123;
  progress.left = 0.25 * static_cast<double>(100 - iteration);
  return progress;
}

EpochResult first_epoch() {
  EpochResult result;
  result.epoch = 1;
  result.train_loss = 0.75;
  result.validation_loss = 0.5;
  result.validation_accuracy = 0.9;
  result.elapsed = 12.5;
  return result;
}

Screen screen_of(FakeTerminal& terminal, int& width) {
  return {true, [&width] { return width; }, [&terminal](std::string_view text) { terminal.write(text); }};
}

TEST(LiveProgress, RedrawsTwoLinesInPlaceBelowTheLinesThatStay) {
  for (int width : {200, 80, 40, 20, 11}) {
    SCOPED_TRACE(width);
    FakeTerminal terminal(width);
    ManualClock clock;
    {
      ProgressView view(screen_of(terminal, width), clock);
      view.training_starts(hundred_iterations());
      EXPECT_FALSE(terminal.cursor_visible());
      for (int i = 10; i <= 50; i += 10) view.progress(at(i));
      EXPECT_EQ(terminal.lines().size(), 2u);
      EXPECT_THAT(terminal.lines()[0], HasSubstr("epoch 1/2"));
      EXPECT_THAT(terminal.lines()[1], HasSubstr("loss 0.04"));
      EXPECT_FALSE(terminal.wrapped);
    }
    EXPECT_TRUE(terminal.cursor_visible());
    EXPECT_TRUE(terminal.lines().empty());
  }
}

TEST(LiveProgress, EpochsStayAbove) {
  int width = 100;
  FakeTerminal terminal(width);
  ManualClock clock;
  ProgressView view(screen_of(terminal, width), clock);
  view.step("publishing data");
  view.training_starts(hundred_iterations());
  view.progress(at(50));
  view.epoch(first_epoch());
  view.progress(at(60));
  const auto lines = terminal.lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[0], HasSubstr("publishing data"));
  EXPECT_THAT(lines[1], HasSubstr("validation loss 0.5000 (90.00% right)"));
  EXPECT_THAT(lines[2], HasSubstr("iteration 60/100"));
  EXPECT_THAT(lines[2], HasSubstr("10.00 s left"));
  EXPECT_THAT(lines[3], HasSubstr("$0.00123 so far"));
  view.training_ends();
  EXPECT_EQ(terminal.lines().size(), 2u);
}

TEST(LiveProgress, NarrowScreensDropTheLeastImportantFiguresWhole) {
  int width = 45;
  FakeTerminal terminal(width);
  ManualClock clock;
  ProgressView view(screen_of(terminal, width), clock);
  view.training_starts(hundred_iterations());
  view.progress(at(50));
  EXPECT_EQ(terminal.lines()[1], "loss 0.0400  50.00% right");
}

TEST(PlainProgress, PrintsALineEveryFewSecondsWithoutControlCharacters) {
  std::string text;
  ManualClock clock;
  {
    ProgressView view({false, [] { return 80; }, [&](std::string_view more) { text += more; }}, clock);
    view.step("starting 4 workers");
    view.training_starts(hundred_iterations());
    for (int i = 1; i <= 100; ++i) {
      clock.advance(1);
      view.progress(at(i));
    }
    view.epoch(first_epoch());
  }
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  const auto count = std::count(text.begin(), text.end(), '\n');
  EXPECT_GE(count, 20);
  EXPECT_LE(count, 26);
  EXPECT_THAT(text, HasSubstr("iteration 100/100")) << "the last one is always shown";
  EXPECT_THAT(text, HasSubstr("epoch 2/2"));
  EXPECT_THAT(text, HasSubstr("epoch 1: train loss 0.7500, validation loss 0.5000"));
}

TEST(ProgressBar, IsExactlyAsWideAsAsked) {
  for (int width = 3; width < 60; ++width)
    for (double share : {-1.0, 0.0, 0.3, 0.999, 1.0, 7.0, std::nan("")})
      EXPECT_EQ(static_cast<int>(progress_bar(share, width).size()), width) << share;
  EXPECT_EQ(progress_bar(0, 6), "[>   ]");
  EXPECT_EQ(progress_bar(0.5, 6), "[##> ]");
  EXPECT_EQ(progress_bar(1, 6), "[####]");
}

TEST(EpochLine, LeavesOutWhatWasNotMeasured) {
  EpochResult result;
  result.epoch = 0.5;
  result.train_loss = 1;
  EXPECT_THAT(epoch_line(result), Not(HasSubstr("validation")));
  EXPECT_THAT(epoch_line(result), Not(HasSubstr("right")));
  EXPECT_THAT(epoch_line(result), HasSubstr("epoch 0.5: train loss 1.0000"));
}

}  // namespace
}  // namespace funcpipe
