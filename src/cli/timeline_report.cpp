#include "cli/timeline_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/units.h"
#include "cli/table.h"
#include "timeline/words.h"

namespace funcpipe {
namespace {

constexpr std::size_t kMostWorkers = 32;  // more are not listed one by one
constexpr Seconds kRounding = 1e-6;       // the precision of a trace, in microseconds since 1970
constexpr std::size_t kGaps = 8, kParts = 2, kGapsJson = 100, kPartsJson = 10;

std::string percent(Seconds part, Seconds whole) {
  return whole > 0 ? fmt::format("{:.0f}%", 100 * part / whole) : "-";
}

WorkerId id_of(const Played& played, int worker) {
  return played.programs()[static_cast<std::size_t>(worker)].worker;
}

// Returns the gaps of compute lanes, the longest first.
std::vector<Gap> longest_gaps(const TimelineReport& report, std::size_t most) {
  std::vector<Gap> gaps;
  for (const WorkerUse& worker : report.use.workers)
    for (const Gap& gap : worker.gaps[static_cast<std::size_t>(Lane::compute)]) gaps.push_back(gap);
  std::stable_sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.seconds() > b.seconds(); });
  if (gaps.size() > most) gaps.resize(most);
  return gaps;
}

// One worker, or the mean of a stage's workers.
struct Line {
  std::string name;
  Shares shares;
  std::array<Seconds, kLanes> busy{};
};

std::vector<Line> lines_of(const TimelineReport& report) {
  const bool one_by_one = report.use.workers.size() <= kMostWorkers;
  std::vector<Line> lines;
  for (std::size_t worker = 0; worker < report.use.workers.size();) {
    const int stage = id_of(report.played, static_cast<int>(worker)).stage;
    const std::size_t first = worker++;
    while (!one_by_one && worker < report.use.workers.size() &&
           id_of(report.played, static_cast<int>(worker)).stage == stage)
      ++worker;
    const std::size_t count = worker - first;
    const auto group = std::span(report.use.workers).subspan(first, count);
    Line line{.name = one_by_one                        ? to_string(id_of(report.played, static_cast<int>(worker) - 1))
                      : stage == kParameterServer.stage ? to_string(kParameterServer)
                                                        : fmt::format("stage {}, mean of {}", stage, count),
              .shares = mean_shares(group)};
    for (const WorkerUse& use : group)
      for (std::size_t lane = 0; lane < kLanes; ++lane) line.busy[lane] += use.busy[lane] / static_cast<double>(count);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string shares_table(const TimelineReport& report, int width) {
  Table table{{{"worker", "compute", "pipeline transfer", "synchro- nisation", "bubble", "polling", "other",
                "download busy", "upload busy"}},
              {"other", "upload busy", "download busy", "polling"}};
  const Seconds whole = report.use.to - report.use.from;
  const bool polling = report.played.tells_polling();
  for (const Line& line : lines_of(report))
    table.rows.push_back({line.name, percent(line.shares.compute, whole), percent(line.shares.pipeline, whole),
                          percent(line.shares.synchronisation, whole), percent(line.shares.bubble, whole),
                          polling ? percent(line.shares.polling, whole) : "-",
                          percent(line.shares.data + line.shares.other, whole),
                          percent(line.busy[static_cast<std::size_t>(Lane::download)], whole),
                          percent(line.busy[static_cast<std::size_t>(Lane::upload)], whole)});
  return drawn(std::move(table), width);
}

std::string gaps_table(const TimelineReport& report, int width) {
  Table table{{{"worker", "idle", "waited for"}}, {}, 30};
  for (const Gap& gap : longest_gaps(report, kGaps)) {
    std::string why = reason(report.played, gap);
    std::string meanwhile;
    for (const std::string& part : parts(report.played, gap, kParts))
      meanwhile += (meanwhile.empty() ? "" : ", ") + part;
    if (!meanwhile.empty()) why += " (" + meanwhile + ")";
    table.rows.push_back({to_string(id_of(report.played, gap.worker)), format_seconds(gap.seconds()), std::move(why)});
  }
  return table.rows.size() > 1 ? drawn(std::move(table), width) : "";
}

std::vector<std::pair<std::string, Seconds>> path_parts(const TimelineReport& report) {
  const PathSums sum = sums(report.played, report.path.steps);
  std::vector<std::pair<std::string, Seconds>> parts;
  for (std::size_t stage = 0; stage < sum.compute.size(); ++stage)
    if (sum.compute[stage] > 0) parts.emplace_back(fmt::format("compute of stage {}", stage), sum.compute[stage]);
  for (int i = 0; i < kActivities; ++i)
    if (const Seconds seconds = sum.transfers[static_cast<std::size_t>(i)]; seconds > 0)
      parts.emplace_back(to_string(static_cast<Activity>(i)), seconds);
  if (sum.polling > kRounding) parts.emplace_back("polling: there, but not asked for", sum.polling);
  if (sum.late > kRounding) parts.emplace_back("ready, but not begun", sum.late);
  return parts;
}

std::string path_table(const TimelineReport& report, int width) {
  Table table{{{"part", "time", "share"}}, {}};
  const Seconds whole = report.path.to - report.path.from;
  for (const auto& [name, seconds] : path_parts(report))
    table.rows.push_back({name, format_seconds(seconds), percent(seconds, whole)});
  return drawn(std::move(table), width);
}

nlohmann::json to_json(const Shares& shares) {
  return {{"compute", shares.compute}, {"pipeline", shares.pipeline}, {"synchronisation", shares.synchronisation},
          {"bubble", shares.bubble},   {"polling", shares.polling},   {"data", shares.data},
          {"other", shares.other}};
}

nlohmann::json to_json(WorkerId worker) {
  return {{"stage", worker.stage}, {"replica", worker.replica}};
}

}  // namespace

std::string timeline_report(const TimelineReport& report, int width) {
  const IterationRange& range = report.path.range;
  const auto count = range.end - range.first;
  const Seconds whole = report.path.to - report.path.from;
  std::string text = count == 1 ? fmt::format("{}: iteration {}, {}\n", report.name, range.first, format_seconds(whole))
                                : fmt::format("{}: iterations {} to {}, {} each\n", report.name, range.first,
                                              range.end - 1, format_seconds(whole / static_cast<double>(count)));
  text += "\nWhat each worker's time went to: computing, or waiting for\n" + shares_table(report, width);
  if (const std::string gaps = gaps_table(report, width); !gaps.empty())
    text += "\nLongest gaps of the compute lanes\n" + gaps;
  text += fmt::format("\nCritical path: {}\n", format_seconds(whole)) + path_table(report, width);
  return text;
}

nlohmann::json timeline_report_json(const TimelineReport& report) {
  nlohmann::json workers = nlohmann::json::array(), gaps = nlohmann::json::array(), path = nlohmann::json::array();
  for (std::size_t i = 0; i < report.use.workers.size(); ++i) {
    const WorkerUse& use = report.use.workers[i];
    nlohmann::json worker = to_json(id_of(report.played, static_cast<int>(i)));
    worker["seconds"] = to_json(use.shares);
    for (const Lane lane : {Lane::compute, Lane::download, Lane::upload})
      worker["busy_seconds"][std::string(to_string(lane))] = use.busy[static_cast<std::size_t>(lane)];
    workers.push_back(std::move(worker));
  }
  for (const Gap& gap : longest_gaps(report, kGapsJson)) {
    nlohmann::json item = to_json(id_of(report.played, gap.worker));
    item["from"] = gap.from - report.path.from;
    item["seconds"] = gap.seconds();
    item["reason"] = reason(report.played, gap);
    item["meanwhile"] = parts(report.played, gap, kPartsJson);
    gaps.push_back(std::move(item));
  }
  for (const PathStep& step : report.path.steps) {
    const PlayedOp& op = report.played.at(step.op);
    nlohmann::json item = to_json(id_of(report.played, op.worker));
    item["operation"] = in_words(report.played.op(op));
    item["lane"] = to_string(report.played.lane(op));
    item["iteration"] = op.event.iteration;
    item["from"] = step.from - report.path.from;
    item["begun"] = step.begun - report.path.from;
    item["to"] = step.to - report.path.from;
    path.push_back(std::move(item));
  }
  nlohmann::json parts = nlohmann::json::object();
  for (const auto& [name, seconds] : path_parts(report)) parts[name] = seconds;
  const auto count = static_cast<double>(report.path.range.end - report.path.range.first);
  return {{"job", report.name},
          {"first_iteration", report.path.range.first},
          {"last_iteration", report.path.range.end - 1},
          {"iteration_seconds", (report.path.to - report.path.from) / count},
          {"seconds", to_json(report.use.shares())},
          {"workers", std::move(workers)},
          {"longest_gaps", std::move(gaps)},
          {"critical_path_seconds", std::move(parts)},
          {"critical_path", std::move(path)}};
}

}  // namespace funcpipe
