// Writers append operations here, in the order in which they would be right if they ran one after another. The builder
// puts each on its lane and adds the dependencies that keep what they touch in that order (schedule/operation.h):
// whoever writes waits for everybody who read or wrote there before, whoever reads waits for everybody who wrote; so it
// is from one iteration to the next. A writer adds only those that say when waiting makes sense.
//
// So it is with the objects they publish: a writer names an object's readers and how long it is kept; the releases are
// the builder's.
//
// The compute lane does one operation after another in the order they were added, so between two of its own no
// dependency is needed, and of several on it the last one is enough.
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

  // Returns the operation's index. `op.after` holds the dependencies that are not those of what it touches.
  int add(Op op);

  // An operation further dependencies of which were not known when it was added.
  void depend(int op, Dependency on);

  // After the last operation of the iteration: what this worker published and keeps until its next update is released
  // once operation `update` of the iteration after is done.
  void release_published(int update);

  // Sorted dependencies, each once.
  Program finish() &&;

 private:
  // Who wrote a place last, and who has read it since; -1: nobody yet. Iterations count from the first one played.
  struct Mark {
    int op = -1;
    int iteration = 0;
  };
  struct History {
    Mark writer;
    std::vector<Mark> readers;  // of the compute lane the last one
  };
  struct Stretch {
    std::int64_t end = 0;
    History history;
  };
  // By first element; they do not overlap.
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
  Op read_;                    // the release of what was taken and is kept no longer, as far as it has come
  std::vector<int> position_;  // on the compute lane; -1: elsewhere
  std::array<Stretches, kBuffers> stretches_;          // of buffers that are touched by the slice
  std::unordered_map<std::uint64_t, History> places_;  // of those of a micro-batch or an operation
};

}  // namespace funcpipe
