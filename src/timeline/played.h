// Everything the workers of a job did over some iterations, each operation with what it waited for. From events alone:
// a real run's trace and a simulation are read the same way.
//
// An operation could begin once the last of these had ended:
//   its dependencies; the operation whose end freed a place on its lane (lanes hand out their operations in order, up
//   to a width of them at once); for a download, the upload of the object; the whole iteration two before its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "schedule/op_event.h"
#include "schedule/program.h"

namespace funcpipe {

// Operations a lane has under way at once, by Lane.
using LaneWidth = std::array<int, kLanes>;

enum class WaitedFor : std::uint8_t {
  nothing,     // that was traced
  dependency,  // an operation of the same worker
  lane,        // an operation of the same worker and lane, for its place
  object,      // another worker's upload
  iteration,   // the last operation of this worker's iteration two before
};

struct PlayedOp {
  int worker = 0;  // index of its program
  OpEvent event;
  // From `event.start` on, but a download moves nothing before it asks for an object that is there (where the events
  // do not say when it did: as soon as the object was). `event.end` at the latest.
  Seconds active = 0;
  WaitedFor waited_for = WaitedFor::nothing;
  int after = -1;  // index of the played operation that ended last of those it waited for; -1: nothing
};

// Iterations [first, end).
struct IterationRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
  bool operator==(const IterationRange&) const = default;
};

class Played {
 public:
  // `events` by program, each operation of an iteration at most once. `programs` must be sound (check_programs).
  Played(std::vector<Program> programs, const std::vector<std::vector<OpEvent>>& events, LaneWidth widths);

  const std::vector<Program>& programs() const { return programs_; }
  const std::vector<PlayedOp>& ops() const { return ops_; }  // by worker, iteration and index in the program
  const PlayedOp& at(int index) const { return ops_[static_cast<std::size_t>(index)]; }
  const Op& op(const PlayedOp& played) const;
  Lane lane(const PlayedOp& played) const { return lane_of(op(played).kind); }
  // Of a worker, in the order of `ops`.
  std::span<const PlayedOp> ops_of(int worker) const;
  // Whether the events say when downloads asked for their objects. If not, that time counts as the download's.
  bool tells_polling() const;
  // Index of an operation; -1: it was not traced.
  int find(int worker, std::int64_t iteration, int op) const;

  // The iterations of which every operation of every worker is known: the longest run of them, and of such the last.
  IterationRange whole() const { return whole_; }
  // The last two of them, without the first, which starts empty, if there are others. Empty if there is none.
  IterationRange steady() const;
  // When the last worker had updated its weights; nullopt: not every worker's update is known.
  std::optional<Seconds> updated(std::int64_t iteration) const;
  int last_update(std::int64_t iteration) const;  // the operation that did; -1

 private:
  void join_events(const std::vector<std::vector<OpEvent>>& events);
  void find_whole();
  void find_waits(LaneWidth widths);

  std::vector<Program> programs_;
  std::vector<PlayedOp> ops_;
  std::vector<std::size_t> begins_;          // of a worker's operations in `ops_`; and the end
  std::int64_t first_ = 0, iterations_ = 0;  // traced at all
  std::vector<std::vector<int>> index_;      // [worker][(iteration - first_) * operations + operation]; -1: none
  IterationRange whole_;
};

}  // namespace funcpipe
