// Decides what a worker does next during one life. A life is one invocation of its function; a later life goes on where
// the former one ended. The class has no clock and does nothing itself: the worker and the simulator drive it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "schedule/life_span.h"

namespace funcpipe {

// The work of all lives of a worker together.
struct LifePlan {
  std::int64_t iterations = 0;
  // A snapshot is due so many iterations, or so many seconds, after the one before; 0 and infinity: none is due but at
  // a hand-over.
  std::int64_t checkpoint_interval = 0;
  Seconds checkpoint_period = std::numeric_limits<double>::infinity();
  // The iteration before which validation round `round` (from 0) takes place; nullopt: there is no such round. Empty:
  // there are none.
  std::function<std::optional<std::int64_t>(std::int64_t round)> validation;
};

struct LifeStep {
  enum class Kind {
    play,       // Play the iterations before `end`.
    validate,   // Do one validation round.
    save,       // Save a snapshot and go on.
    hand_over,  // Save a snapshot and end; the next life goes on from it.
    finish      // All is done.
  };
  Kind kind = Kind::finish;
  std::int64_t end = 0;  // For `play`: one past the last iteration to play.
};

// Not thread-safe.

class LifeCourse {
 public:
  // `plan` outlives it. The life begins `now`.
  LifeCourse(const LifePlan& plan, const LifeSpan& span, Seconds now = 0) : plan_(&plan), span_(span), saved_at_(now) {}
  // Where a former life has left off.
  void resume(std::int64_t iteration, std::int64_t rounds) {
    iteration_ = saved_iteration_ = iteration;
    rounds_ = rounds;
  }

  // Returns the next step. `guess` is the assumed time of a validation if none was measured.
  LifeStep next(Seconds now, Seconds guess = 0) const;
  // The driver calls one of these when it has done a step.
  void played(std::int64_t end);
  void validated() { ++rounds_; }
  void saved(Seconds now) {
    saved_iteration_ = iteration_;
    saved_at_ = now;
  }

  std::int64_t iteration() const { return iteration_; }  // Iterations played so far.
  std::int64_t rounds() const { return rounds_; }        // Validation rounds done so far.
  LifeSpan& span() { return span_; }
  const LifeSpan& span() const { return span_; }

 private:
  const LifePlan* plan_;
  LifeSpan span_;
  bool snapshot_is_due(Seconds now) const;
  std::int64_t until_snapshot(Seconds now) const;  // iterations to play before one is due, at least one

  std::int64_t iteration_ = 0, rounds_ = 0;
  // What the newest snapshot holds, or where the life began, and when that was.
  std::int64_t saved_iteration_ = 0;
  Seconds saved_at_;
};

}  // namespace funcpipe
