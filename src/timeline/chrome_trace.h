// Events of operations as Chrome trace events: Perfetto and chrome://tracing open them as they are
// (docs/formats/trace.md). One process per worker, one thread per lane.
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

// Writes {"traceEvents": [...], "version": 1} worker by worker; the same events give the same bytes. The stream's own
// state says whether writing failed.
class ChromeTraceWriter {
 public:
  explicit ChromeTraceWriter(std::ostream& out);

  // Names the process `rank` and its lanes. `process_start`, if known: when it was started. Times written are those of
  // the events plus `offset`, in microseconds.
  void worker(const Program& program, int rank, Seconds offset, std::optional<Seconds> process_start = {});
  // May be called between workers in any order, and many times for one.
  void events(const Program& program, int rank, Seconds offset, std::span<const OpEvent> events);
  void close();

 private:
  void append(std::string_view event);
  std::ostream& out_;
  bool first_ = true;
};

// The events of each program, in the order they started; `programs` by rank. Seconds since the first operation began.
// `place`: of the text, for errors (invalid_input): not a trace, no index of operations, an operation that is another
// in its program.
Result<std::vector<std::vector<OpEvent>>> read_chrome_trace(std::string_view text, const std::vector<Program>& programs,
                                                            const std::string& place);

}  // namespace funcpipe
