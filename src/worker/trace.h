// What a worker did and when, kept while it plays and written as Chrome trace events (timeline/chrome_trace.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schedule/program.h"
#include "timeline/op_event.h"

namespace funcpipe {

// Not thread-safe; a player calls its observer from one thread at a time.
class Trace {
 public:
  // Keeps operations of iterations below `end`. `program` outlives it; `rank` is the worker's process number.
  Trace(const Program& program, int rank, std::int64_t end, const Clock& clock);

  void operator()(const OpEvent& event);
  bool empty() const { return events_.empty(); }

  // {"traceEvents": [...]}; times in microseconds since 1970. `process_age`: seconds since this process was started.
  std::string json(Seconds process_age) const;

 private:
  const Program& program_;
  const int rank_;
  const std::int64_t end_;
  const Clock& clock_;
  const Seconds to_unix_;  // add to a time of the clock
  std::vector<OpEvent> events_;
};

}  // namespace funcpipe
