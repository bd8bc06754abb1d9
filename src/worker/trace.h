// Records what a worker did and when. The record is kept in memory while the worker plays and is written as Chrome
// trace events (timeline/chrome_trace.h).
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
  // Records operations of iterations below `end`. `program` and `clock` must outlive it. `rank` is the worker's process
  // number.
  Trace(const Program& program, int rank, std::int64_t end, const Clock& clock);

  void operator()(const OpEvent& event);
  // Tells when the request was sent that found the object of operation `op`. The operation has not ended yet.
  void asked(int op, std::int64_t iteration, Seconds time);
  bool empty() const;

  // Returns {"traceEvents": [...]} with times in microseconds since 1970. `process_age`: seconds since this process was
  // started.
  std::string json(Seconds process_age) const;

 private:
  const Program& program_;
  const int rank_;
  const std::int64_t end_;
  const Clock& clock_;
  const Seconds to_unix_;  // to be added to a time of the clock; gives seconds since 1970
  mutable std::mutex mutex_;
  std::vector<OpEvent> events_;
  std::map<std::pair<std::int64_t, int>, Seconds> asked_;  // by iteration and operation, until the operation ends
};

}  // namespace funcpipe
