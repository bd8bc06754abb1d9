// Writers append operations here. The builder puts each on its lane and adds the dependencies that the gradient buffer
// asks for, so no writer has to think of them: whoever writes a slice waits for everybody who read or wrote any of it
// before, whoever reads it waits for everybody who wrote it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

// Who touches which elements of the stage's flat gradient.
enum class GradientAccess { none, read, write };
GradientAccess gradient_access(OpKind kind);
// Backward and update touch the whole gradient (at least one virtual element, so that they are ordered even for a stage
// without parameters); the others op.slice.
Slice gradient_slice(const Op& op, std::int64_t gradient_elements);
bool overlap(const Slice& a, const Slice& b);

class ProgramBuilder {
 public:
  ProgramBuilder(WorkerId worker, std::int64_t gradient_elements);

  // Returns the operation's index. `op.after` holds the dependencies that are not the gradient's.
  int add(Op op);

  // An operation further dependencies of which were not known when it was added.
  void depend(int op, Dependency on);

  const Program& program() const { return program_; }

  // Sorted dependencies, each once.
  Program finish() &&;

 private:
  // Elements with the same history: who wrote them last, and who has read them since.
  struct Stretch {
    std::int64_t end = 0;
    int writer = -1;  // -1: nobody yet
    std::vector<int> readers;
  };
  using Stretches = std::map<std::int64_t, Stretch>;  // by first element; they do not overlap

  void touch(int op, const Slice& slice, bool write);
  void split(std::int64_t at);

  std::int64_t gradient_elements_;
  Program program_;
  Stretches touched_;
};

}  // namespace funcpipe
