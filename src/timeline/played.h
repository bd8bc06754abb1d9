// What the workers of a job did in some iterations, and what each operation waited for. It is made from events only, so
// the trace of a real run and a simulation are treated alike.
//
// An operation could begin once the last of these had ended:
//   its dependencies; the operation whose end freed a place on its lane (a lane hands out its operations in order and
//   has at most its width of them at once); for a download, the upload of the object; the whole iteration two before
//   its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "schedule/op_event.h"
#include "schedule/program.h"

namespace funcpipe {

// The most operations that a lane has at once, by Lane.
using LaneWidth = std::array<int, kLanes>;

enum class WaitedFor : std::uint8_t {
  nothing,     // nothing that was traced
  dependency,  // an operation of the same worker
  lane,        // an operation of the same lane, whose end freed a place
  object,      // another worker's upload
  iteration,   // the last operation of this worker's iteration two before
};

struct PlayedOp {
  int worker = 0;  // Index of its program.
  OpEvent event;
  // When it began to do something, from event.start to event.end. For a download of an object this is the request that
  // found the object or, if the event does not tell that, the end of the object's upload.
  Seconds active = 0;
  WaitedFor waited_for = WaitedFor::nothing;
  int after = -1;  // Index in Played::ops of what it waited for, the one that ended last; -1 for nothing.
};

// The iterations [first, end).
struct IterationRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
  bool operator==(const IterationRange&) const = default;
};

class Played {
 public:
  // `events` are by program, with each operation of an iteration at most once. `programs` are sound (check_programs).
  Played(std::vector<Program> programs, const std::vector<std::vector<OpEvent>>& events, LaneWidth widths);

  const std::vector<Program>& programs() const { return programs_; }
  const std::vector<PlayedOp>& ops() const { return ops_; }  // By worker, iteration and index in the program.
  const PlayedOp& at(int index) const { return ops_[static_cast<std::size_t>(index)]; }
  const Op& op(const PlayedOp& played) const;
  Lane lane(const PlayedOp& played) const { return lane_of(op(played).kind); }
  // Returns the operations of one worker, in the order of ops().
  std::span<const PlayedOp> ops_of(int worker) const;
  // Returns whether the events say when downloads asked for their objects. If not, polling counts as downloading.
  bool tells_polling() const;
  // Returns the index of an operation in ops(); -1 if it was not traced.
  int find(int worker, std::int64_t iteration, int op) const;

  // Returns the longest run of iterations of which every operation of every worker is known; of equal ones the last.
  IterationRange whole() const { return whole_; }
  // Returns the last two iterations of whole(), or the last one if there are only two: the first, which starts with an
  // empty pipeline, is left out unless it is the only one. Empty if whole() is.
  IterationRange steady() const;
  // Returns when the last worker had updated its weights; nullopt if not every worker's update was traced.
  std::optional<Seconds> updated(std::int64_t iteration) const;
  int last_update(std::int64_t iteration) const;  // The index of that update in ops(); -1 if updated() is nullopt.

 private:
  void join_events(const std::vector<std::vector<OpEvent>>& events);
  void find_whole();
  void find_waits(LaneWidth widths);

  std::vector<Program> programs_;
  std::vector<PlayedOp> ops_;
  std::vector<std::size_t> begins_;          // Index in ops_ of each worker's first operation, and the end.
  std::int64_t first_ = 0, iterations_ = 0;  // The first traced iteration, and their number.
  // Index in ops_ by [worker][(iteration - first_) * operations + operation]; -1 if it was not traced.
  std::vector<std::vector<int>> index_;
  IterationRange whole_;
};

}  // namespace funcpipe
