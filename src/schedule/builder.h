// Builds a program from operations that are added in an order in which they would be right if they ran one after
// another. The builder puts each operation on its lane and derives dependencies from what it touches
// (schedule/operation.h): an operation that writes a place waits for all earlier ones that read or wrote it, and one
// that reads waits for all that wrote it, within an iteration and from one to the next. The caller adds only the
// dependencies that say when it makes sense to wait for another worker.
//
// The builder also adds the operations that release (delete) objects. The caller names the readers of each object it
// publishes and how long the object is kept.
//
// The compute lane runs its operations one after another in the order they were added. So there are no dependencies
// between two of them, and an operation that depends on several of them keeps only the last.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

class ProgramBuilder {
 public:
  explicit ProgramBuilder(WorkerId worker);

  // Adds an operation and returns its index. `op.after` holds only dependencies that do not follow from what it
  // touches.
  int add(Op op);

  // Adds a dependency to operation `op` that was not known when it was added.
  void depend(int op, Dependency on);

  // To be called after the last operation was added. Adds the release of everything this worker has published with
  // Retention::next_update: operation `update` of the next iteration comes before it.
  void release_published(int update);

  // Returns the program. The dependencies of each operation are sorted and unique.
  Program finish() &&;

 private:
  // An operation of iteration 0 or 1; `op` = -1 means none yet. History says who wrote a place last and who has read it
  // since.
  struct Mark {
    int op = -1;
    int iteration = 0;
  };
  struct History {
    Mark writer;
    std::vector<Mark> readers;  // Of those on the compute lane only the last one.
  };
  struct Stretch {
    std::int64_t end = 0;
    History history;
  };
  // Stretches of elements with one history each, by first element. They do not overlap.
  using Stretches = std::map<std::int64_t, Stretch>;

  bool computes(int op) const;
  void touch_all(int op, int iteration);
  void touch(Mark by, const Slice& slice, bool write, Stretches& stretches);
  void touch(Mark by, bool write, History& history);
  void wait_for(Mark by, Mark before);
  static void split(Stretches& stretches, std::int64_t at);
  void keep_latest_computation(int op);
  void release_read();

  Program program_;
  Op read_;                                    // Release of objects with Retention::when_read that is not added yet.
  std::vector<int> position_;                  // By operation: its position on the compute lane, or -1 on another lane.
  std::array<Stretches, kBuffers> stretches_;  // Histories of buffers that are touched whole or by slices.
  std::unordered_map<std::uint64_t, History> places_;  // Histories of places of one micro-batch or operation.
};

}  // namespace funcpipe
