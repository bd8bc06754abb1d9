// Writes and reads events of operations as Chrome trace events, which Perfetto and chrome://tracing open
// (docs/formats/trace.md). A worker is a process in the trace and a lane a thread.
#pragma once

#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "schedule/op_event.h"
#include "schedule/program.h"

namespace funcpipe {

// It stands behind the events: viewers that do not know a key may leave out what comes after it. Traces without it,
// of earlier releases, are of version 1.
inline constexpr int kTraceVersion = 1;

// Writes {"traceEvents": [...], "version": 1} worker by worker. The same events give the same bytes. The state of the
// stream says whether writing failed. Not thread-safe.
class ChromeTraceWriter {
 public:
  explicit ChromeTraceWriter(std::ostream& out);

  // Names the process `rank` and its lanes. `process_start` is when the process was started, if that is known. Written
  // times are microseconds: those of the events plus `offset`.
  void worker(const Program& program, int rank, Seconds offset, std::optional<Seconds> process_start = {});
  // Writes events of a worker. It may be called several times for one worker, and for workers in any order.
  void events(const Program& program, int rank, Seconds offset, std::span<const OpEvent> events);
  void close();

 private:
  void append(std::string_view event);
  std::ostream& out_;
  bool first_ = true;
};

// Reads the events of each program, in the order in which they started. `programs` are by rank. Times are seconds since
// the first operation began. Error: invalid_input at `place` if the text is not a trace, has no indices of operations,
// has an operation that differs from the one in its program, or lacks whole iterations.
Result<std::vector<std::vector<OpEvent>>> read_chrome_trace(std::string_view text, const std::vector<Program>& programs,
                                                            const std::string& place);

}  // namespace funcpipe
