// What a worker did and when, kept while it plays and written as Chrome trace events (timeline/chrome_trace.h).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "schedule/op_event.h"
#include "schedule/program.h"

namespace funcpipe {

// Thread-safe.
class Trace {
 public:
  // Keeps operations of iterations below `end`. `program` outlives it; `rank` is the worker's process number.
  Trace(const Program& program, int rank, std::int64_t end, const Clock& clock);

  void operator()(const OpEvent& event);
  // Operation `op`, which has not ended, sent the request that found its object.
  void asked(int op, std::int64_t iteration, Seconds time);
  bool empty() const;

  // {"traceEvents": [...]}; times in microseconds since 1970. `process_age`: seconds since this process was started.
  std::string json(Seconds process_age) const;

 private:
  const Program& program_;
  const int rank_;
  const std::int64_t end_;
  const Clock& clock_;
  const Seconds to_unix_;  // add to a time of the clock
  mutable std::mutex mutex_;
  std::vector<OpEvent> events_;
  std::map<std::pair<std::int64_t, int>, Seconds> asked_;  // by iteration and operation, until that ends
};

}  // namespace funcpipe
