#include "worker/trace.h"

#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

nlohmann::json name_of(const char* what, int rank, int lane, const std::string& name) {
  return {{"ph", "M"}, {"name", what}, {"pid", rank}, {"tid", lane}, {"args", {{"name", name}}}};
}

}  // namespace

Trace::Trace(const Program& program, int rank, std::int64_t end, const Clock& clock)
    : program_(program), rank_(rank), end_(end), clock_(clock), to_unix_(unix_time() - clock.now()) {}

void Trace::operator()(const OpEvent& event) {
  if (event.iteration < end_) events_.push_back(event);
}

std::string Trace::json(Seconds process_age) const {
  const auto microseconds = [&](Seconds time) { return (time + to_unix_) * 1e6; };
  nlohmann::json all = nlohmann::json::array();
  all.push_back(name_of("process_name", rank_, 0, to_string(program_.worker)));
  for (const Lane lane : {Lane::compute, Lane::download, Lane::upload})
    all.push_back(name_of("thread_name", rank_, static_cast<int>(lane), std::string(to_string(lane))));
  all.push_back({{"ph", "i"},
                 {"name", "process start"},
                 {"pid", rank_},
                 {"tid", 0},
                 {"s", "p"},
                 {"ts", microseconds(clock_.now() - process_age)}});
  for (const OpEvent& event : events_) {
    const Op& op = program_.ops[static_cast<std::size_t>(event.op)];
    const Lane lane = lane_of(op.kind);
    nlohmann::json args = {{"stage", program_.worker.stage},
                           {"replica", program_.worker.replica},
                           {"iteration", event.iteration},
                           {"waited_us", (event.start - event.ready) * 1e6},
                           {"cpu_us", event.cpu * 1e6}};
    if (op.micro_batch >= 0) args["micro_batch"] = op.micro_batch;
    if (op.slice.elements > 0) args["elements"] = op.slice.elements;
    all.push_back({{"ph", "X"},
                   {"name", to_string(op.kind)},
                   {"cat", to_string(lane)},
                   {"pid", rank_},
                   {"tid", static_cast<int>(lane)},
                   {"ts", microseconds(event.start)},
                   {"dur", (event.end - event.start) * 1e6},
                   {"args", std::move(args)}});
  }
  return nlohmann::json{{"traceEvents", std::move(all)}}.dump();
}

}  // namespace funcpipe
