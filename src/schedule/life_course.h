// Decides what a worker does next during one life. A life is one invocation of its function; a later life goes on where
// the former one ended. The class has no clock and does nothing itself: the worker and the simulator drive it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "schedule/life_span.h"

namespace funcpipe {

// The work of all lives of a worker together.
struct LifePlan {
  std::int64_t iterations = 0;
  std::int64_t checkpoint_interval = 0;  // Iterations between snapshots; 0 means only at a hand-over.
  // Returns the iteration before which validation round `round` (from 0) takes place; nullopt if there is no such
  // round. An empty function means that there are no rounds.
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
  // Keeps a reference to `plan`, which has to live longer.
  LifeCourse(const LifePlan& plan, const LifeSpan& span) : plan_(&plan), span_(span) {}
  // Sets the iterations and validation rounds that former lives have done.
  void resume(std::int64_t iteration, std::int64_t rounds) {
    iteration_ = iteration;
    rounds_ = rounds;
  }

  // Returns the next step. `guess` is the assumed time of a validation if none was measured.
  LifeStep next(Seconds now, Seconds guess = 0) const;
  // The driver calls one of these when it has done a step.
  void played(std::int64_t end);
  void validated() { ++rounds_; }
  void saved() { due_ = false; }

  std::int64_t iteration() const { return iteration_; }  // Iterations played so far.
  std::int64_t rounds() const { return rounds_; }        // Validation rounds done so far.
  LifeSpan& span() { return span_; }
  const LifeSpan& span() const { return span_; }

 private:
  const LifePlan* plan_;
  LifeSpan span_;
  std::int64_t iteration_ = 0, rounds_ = 0;
  bool due_ = false;  // A snapshot of the checkpoint interval has to be saved.
};

}  // namespace funcpipe
