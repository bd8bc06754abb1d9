#include "worker/trace.h"

#include <sstream>

#include "timeline/chrome_trace.h"

namespace funcpipe {

Trace::Trace(const Program& program, int rank, std::int64_t end, const Clock& clock)
    : program_(program), rank_(rank), end_(end), clock_(clock), to_unix_(unix_time() - clock.now()) {}

void Trace::operator()(const OpEvent& event) {
  if (event.iteration >= end_) return;
  std::lock_guard lock(mutex_);
  events_.push_back(event);
  if (const auto asked = asked_.extract({event.iteration, event.op}); !asked.empty())
    events_.back().asked = asked.mapped();
}

void Trace::asked(int op, std::int64_t iteration, Seconds time) {
  if (iteration >= end_) return;
  std::lock_guard lock(mutex_);
  asked_[{iteration, op}] = time;
}

bool Trace::empty() const {
  std::lock_guard lock(mutex_);
  return events_.empty();
}

std::string Trace::json(Seconds process_age) const {
  std::lock_guard lock(mutex_);
  std::ostringstream text;
  ChromeTraceWriter writer(text);
  writer.worker(program_, rank_, to_unix_, clock_.now() - process_age);
  writer.events(program_, rank_, to_unix_, events_);
  writer.close();
  return std::move(text).str();
}

}  // namespace funcpipe
