#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "cli/terminal.h"
#include "job/observer.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Shows a job's progress. On a live screen two lines are redrawn in place below the lines that stay. Elsewhere a line
// is printed every few seconds.
class ProgressView final : public TrainObserver {
 public:
  ProgressView(Screen screen, Clock& clock) : screen_(std::move(screen)), clock_(clock) {}
  ~ProgressView() override;  // makes the cursor visible and leaves it below what was drawn

  void step(const std::string& what) override;
  void training_starts(const JobSpec& spec) override;
  void progress(const TrainingProgress& progress) override;
  void epoch(const EpochResult& result) override;
  void training_ends() override;

 private:
  void print_line(const std::string& line);  // a line that stays
  void draw();
  void erase();

  Screen screen_;
  Clock& clock_;
  std::int64_t steps_ = 0;
  std::int64_t steps_per_epoch_ = 1;
  double epochs_ = 0;
  std::optional<TrainingProgress> latest_;
  Seconds last_line_ = -1e9;  // when a plain line was last printed
  int drawn_lines_ = 0;
  int drawn_width_ = 0;  // of the longest drawn line
  bool training_ = false;
};

// These are separate for tests.
std::string progress_bar(double share, int width);       // returns "[#####>    ]", exactly `width` columns wide
std::string fitted(const std::string& text, int width);  // cuts the text to `width` columns
std::string epoch_line(const EpochResult& result);

}  // namespace funcpipe
