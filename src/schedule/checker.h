#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// Proves that the programs of all workers of a job are sound together:
//   - every operation is on its lane exactly once;
//   - dependencies, lane order with one operation in flight per lane, and object transfers have no cycle, so neither
//   lanes
//     nor workers can deadlock;
//   - every object has one producer and exactly the readers that the producer names;
//   - every object is released once, after its last reader is done;
//   - every worker touches its memory in order (check_data.h).
// Keeps about a hundred bytes per operation. The time grows with the operations and their dependencies, except for
// releases that only a walk can prove. Not thread-safe. docs/algorithms.md, "Proof".
class ProgramChecker {
 public:
  ProgramChecker();
  ~ProgramChecker();
  ProgramChecker(ProgramChecker&&) noexcept;
  ProgramChecker& operator=(ProgramChecker&&) noexcept;

  // Adds a worker's program. Error: failed if it is not well formed (check_form.h) or its worker has one already.
  Result<> add(const Program& program);
  // Checks all added programs. To be called once. Errors: failed, which names the worker, the operation and the cycle
  // or object; cancelled.
  Result<> finish(const std::stop_token& stop = {});

  std::int64_t operations() const;  // Number of operations added.
  std::int64_t steps() const;       // Operations and dependencies visited so far, a measure of the time spent.

 private:
  class Proof;
  std::unique_ptr<Proof> proof_;
};

// Adds all programs to a ProgramChecker and finishes it.
Result<> check_programs(const std::vector<Program>& programs);

}  // namespace funcpipe
