#include "timeline/chrome_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/json_complaint.h"

namespace funcpipe {
namespace {

constexpr double kMicroseconds = 1e6;

constexpr const char* kAnew = "make the trace again with this version";

const Op* op_of(const Program& program, int index) {
  return index >= 0 && index < std::ssize(program.ops) ? &program.ops[static_cast<std::size_t>(index)] : nullptr;
}

}  // namespace

ChromeTraceWriter::ChromeTraceWriter(std::ostream& out) : out_(out) {
  out_ << "{\"traceEvents\":[";
}

void ChromeTraceWriter::append(std::string_view event) {
  out_ << (first_ ? "\n" : ",\n") << event;
  first_ = false;
}

void ChromeTraceWriter::worker(const Program& program, int rank, Seconds offset, std::optional<Seconds> process_start) {
  const auto name = [&](std::string_view what, int lane, std::string_view text) {
    append(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":"{}"}}}})", what, rank, lane, text));
  };
  name("process_name", 0, to_string(program.worker));
  for (const Lane lane : {Lane::compute, Lane::download, Lane::upload})
    name("thread_name", static_cast<int>(lane), to_string(lane));
  if (process_start)
    append(fmt::format(R"({{"ph":"i","name":"process start","pid":{},"tid":0,"s":"p","ts":{}}})", rank,
                       (*process_start + offset) * kMicroseconds));
}

void ChromeTraceWriter::events(const Program& program, int rank, Seconds offset, std::span<const OpEvent> events) {
  for (const OpEvent& event : events) {
    const Op& op = program.ops[static_cast<std::size_t>(event.op)];
    const Lane lane = lane_of(op.kind);
    std::string where;
    if (op.micro_batch >= 0) where += fmt::format(R"(,"micro_batch":{})", op.micro_batch);
    if (op.slice.elements > 0) where += fmt::format(R"(,"elements":{})", op.slice.elements);
    if (event.asked) where += fmt::format(R"(,"asked_us":{})", (*event.asked - event.start) * kMicroseconds);
    append(fmt::format(
        R"({{"ph":"X","name":"{}","cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"stage":{},"replica":{},)"
        R"("iteration":{},"op":{},"waited_us":{},"cpu_us":{}{}}}}})",
        to_string(op.kind), to_string(lane), rank, static_cast<int>(lane), (event.start + offset) * kMicroseconds,
        (event.end - event.start) * kMicroseconds, program.worker.stage, program.worker.replica, event.iteration,
        event.op, (event.start - event.ready) * kMicroseconds, event.cpu * kMicroseconds, where));
  }
}

void ChromeTraceWriter::close() {
  out_ << fmt::format("\n],\"version\":{}}}\n", kTraceVersion);
}

Result<std::vector<std::vector<OpEvent>>> read_chrome_trace(std::string_view text, const std::vector<Program>& programs,
                                                            const std::string& place) {
  const auto broken = [&](std::string what, std::string hint) {
    return fail(ErrorCode::invalid_input, std::move(what), place, std::move(hint));
  };
  const std::string another = "a trace belongs to the plan it was made with";
  std::vector<std::vector<OpEvent>> traced(programs.size());
  double first = std::numeric_limits<double>::infinity();  // microseconds
  std::int64_t first_iteration = std::numeric_limits<std::int64_t>::max(), last_iteration = 0, operations = 0;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (const int version = json.is_object() ? json.value("version", kTraceVersion) : kTraceVersion;
        version != kTraceVersion)
      return broken(fmt::format("trace format version {}, this program reads version {}", version, kTraceVersion),
                    kAnew);
    const auto is_operation = [](const nlohmann::json& event) { return event.at("ph") == "X"; };
    for (const auto& event : json.at("traceEvents"))
      if (is_operation(event)) first = std::min(first, event.at("ts").get<double>());
    for (const auto& event : json.at("traceEvents")) {
      if (!is_operation(event)) continue;
      const int rank = event.at("pid");
      const std::string kind = event.at("name");
      const auto& args = event.at("args");
      if (!args.contains("op")) return broken("its events have no index of their operation", kAnew);
      const int index = args.at("op");
      const WorkerId worker{args.at("stage"), args.at("replica")};
      if (rank < 0 || rank >= std::ssize(programs) || programs[static_cast<std::size_t>(rank)].worker != worker)
        return broken(fmt::format("process {} is {}, which the plan has not", rank, to_string(worker)), another);
      const Op* op = op_of(programs[static_cast<std::size_t>(rank)], index);
      if (op == nullptr || to_string(op->kind) != kind || op->micro_batch != args.value("micro_batch", -1) ||
          op->slice.elements != args.value("elements", std::int64_t{0}))
        return broken(fmt::format("operation {} of {} is not the plan's: {}", index, to_string(worker), kind), another);
      const Seconds start = (event.at("ts").get<double>() - first) / kMicroseconds;
      OpEvent played{.op = index,
                     .iteration = args.at("iteration"),
                     .ready = start - args.value("waited_us", 0.0) / kMicroseconds,
                     .start = start,
                     .end = start + event.at("dur").get<double>() / kMicroseconds,
                     .cpu = args.value("cpu_us", 0.0) / kMicroseconds};
      if (played.iteration < 0 || !(played.end >= played.start))
        return broken(fmt::format("operation {} of {} has iteration {} and takes {} s", index, to_string(worker),
                                  played.iteration, played.end - played.start),
                      "see docs/formats/trace.md");
      first_iteration = std::min(first_iteration, played.iteration);
      last_iteration = std::max(last_iteration, played.iteration);
      ++operations;
      if (args.contains("asked_us")) played.asked = start + args.at("asked_us").get<double>() / kMicroseconds;
      traced[static_cast<std::size_t>(rank)].push_back(played);
    }
  } catch (const nlohmann::json::exception& error) {
    return broken(fmt::format("not a trace of operations: {}", json_complaint(error)), "see docs/formats/trace.md");
  }
  // Played (timeline/played.h) allocates memory for every operation of every iteration in the range.
  if (operations > 0 && last_iteration - first_iteration >= operations)
    return broken(fmt::format("{} operations of iterations {} to {}: some iterations have none", operations,
                              first_iteration, last_iteration),
                  "trace iterations that follow each other");
  for (auto& events : traced) {
    std::set<std::pair<std::int64_t, int>> seen;
    for (const OpEvent& event : events)
      if (!seen.emplace(event.iteration, event.op).second)
        return broken(fmt::format("operation {} of iteration {} is there twice", event.op, event.iteration),
                      "see docs/formats/trace.md");
  }
  for (auto& events : traced)
    std::stable_sort(events.begin(), events.end(),
                     [](const OpEvent& a, const OpEvent& b) { return a.start < b.start; });
  return traced;
}

}  // namespace funcpipe
