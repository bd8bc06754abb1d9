#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// Proves the programs of all workers of a job sound together, with one operation in flight per lane: every operation is
// on its lane exactly once; no cycle of dependencies, lane order and object transfers (so no deadlock between lanes or
// workers); every object has exactly one producer, the readers it names, and is produced before it can be consumed;
// nothing is released before its last consumer is done; every object is released; and of each worker that it touches
// its memory in order (check_data.h). Takes one program after the other and keeps of each about a hundred bytes an
// operation; the time grows as the operations and what they depend on.
class ProgramChecker {
 public:
  ProgramChecker();
  ~ProgramChecker();
  ProgramChecker(ProgramChecker&&) noexcept;
  ProgramChecker& operator=(ProgramChecker&&) noexcept;

  // Error: failed: the program alone is not one (indices, lanes, fields), or its worker has one already.
  Result<> add(const Program& program);
  // Once all are added; not twice. Errors: failed, naming the worker, the operation and the cycle or object; cancelled.
  Result<> finish(const std::stop_token& stop = {});

  std::int64_t operations() const;  // added
  std::int64_t steps() const;       // operations and dependencies looked at so far: what the time grows with

 private:
  class Proof;
  std::unique_ptr<Proof> proof_;
};

Result<> check_programs(const std::vector<Program>& programs);

}  // namespace funcpipe
