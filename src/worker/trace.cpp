#include "worker/trace.h"

#include <sstream>

#include "timeline/chrome_trace.h"

namespace funcpipe {

Trace::Trace(const Program& program, int rank, std::int64_t end, const Clock& clock)
    : program_(program), rank_(rank), end_(end), clock_(clock), to_unix_(unix_time() - clock.now()) {}

void Trace::operator()(const OpEvent& event) {
  if (event.iteration < end_) events_.push_back(event);
}

std::string Trace::json(Seconds process_age) const {
  std::ostringstream text;
  ChromeTraceWriter writer(text);
  writer.worker(program_, rank_, to_unix_, clock_.now() - process_age);
  writer.events(program_, rank_, to_unix_, events_);
  writer.close();
  return std::move(text).str();
}

}  // namespace funcpipe
