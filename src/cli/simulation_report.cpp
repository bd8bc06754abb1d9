#include "cli/simulation_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "cli/summary.h"
#include "cli/table.h"

namespace funcpipe {
namespace {

using Row = Table::Row;

// The busiest worker of a stage: times per iteration in the steady state, or of the whole job if it has one iteration.
struct StageUse {
  Busy busy;
  std::int64_t early_gets = 0, refused = 0, invocations = 0;  // of all the stage's workers
};

std::vector<StageUse> stage_uses(const SimulationReport& report) {
  const SimulationResult& result = report.result;
  const bool steady = result.iterations.size() > 1 && !result.failure;
  const double iterations = std::max<double>(1, static_cast<double>(result.iterations.size()) - (steady ? 1 : 0));
  std::vector<StageUse> uses(report.plan.stages.size());
  const auto functions = static_cast<std::size_t>(report.plan.worker_count());
  for (std::size_t i = 0; i < std::min(result.workers.size(), functions); ++i) {
    const WorkerResult& worker = result.workers[i];
    const Busy& busy = steady ? worker.steady : worker.whole;
    StageUse& use = uses[i / static_cast<std::size_t>(report.plan.replicas)];
    use.busy.computing = std::max(use.busy.computing, busy.computing / iterations);
    use.busy.uploading = std::max(use.busy.uploading, busy.uploading / iterations);
    use.busy.downloading = std::max(use.busy.downloading, busy.downloading / iterations);
    use.early_gets += worker.early_gets;
    use.refused += worker.refused;
    use.invocations += worker.invocations;
  }
  return uses;
}

struct Busiest {
  std::size_t stage = 0;
  std::string_view lane;
  Seconds seconds = -1;  // of an iteration
};

Busiest busiest_of(const std::vector<StageUse>& uses) {
  Busiest busiest;
  for (std::size_t k = 0; k < uses.size(); ++k) {
    const Busy& busy = uses[k].busy;
    const std::array<std::pair<std::string_view, Seconds>, 3> lanes = {
        {{"compute", busy.computing}, {"uplink", busy.uploading}, {"downlink", busy.downloading}}};
    for (const auto& [lane, seconds] : lanes)
      if (seconds > busiest.seconds) busiest = {k, lane, seconds};
  }
  return busiest;
}

std::string share(Seconds busy, Seconds iteration) {
  return iteration > 0 ? fmt::format("{} ({:.0f}%)", format_seconds(busy), 100 * busy / iteration)
                       : format_seconds(busy);
}

Dollars storage_of(const SimulationReport& report) {
  return storage_price(report.platform.prices, report.result.stored_byte_seconds, 1);
}

std::string iteration_table(const SimulationReport& report, int width) {
  const SimulationResult& result = report.result;
  const auto row = [&](const char* name, std::size_t i) { return Row{name, format_seconds(result.seconds_of(i))}; };
  std::vector<Row> rows{{"iteration", "simulated", "planner's"}};
  rows.push_back(row("first", 0));
  rows.back().emplace_back();
  if (result.iterations.size() > 1) {
    rows.push_back({"median of the others", format_seconds(result.median_seconds()),
                    report.fleet.predicted ? format_seconds(report.fleet.prediction.iteration) : "-"});
    rows.push_back(row("last", result.iterations.size() - 1));
    rows.back().emplace_back();
  }
  return drawn({std::move(rows), {"planner's"}}, width);
}

}  // namespace

std::string simulation_report(const SimulationReport& report, int width) {
  const SimulationResult& result = report.result;
  const Plan& plan = report.plan;
  std::string text =
      fmt::format("{} on {}: {}, {}, micro-batches of {}; {}\n\n", plan.model, report.platform.name,
                  counted(plan.stage_count(), "stage"), counted(plan.replicas, "replica"), plan.micro_batch,
                  counted(static_cast<std::int64_t>(result.iterations.size()), "iteration"));
  if (result.failure)
    text += fmt::format("The job fails after {}: {}\n\n", format_seconds(result.total), describe(*result.failure));
  else
    text += fmt::format("The job takes {} and {}\n\n", format_seconds(result.total),
                        format_dollars(storage_of(report) + result.bill.total().dollars(report.platform.prices)));
  if (!result.iterations.empty()) text += iteration_table(report, width) + "\n";
  const Seconds iteration = result.iterations.empty() ? 0 : result.median_seconds();
  const std::vector<StageUse> uses = stage_uses(report);
  if (iteration > 0) {
    const Busiest busiest = busiest_of(uses);
    text += fmt::format("Busiest: stage {}'s {}: {} of each iteration's {}\n\n", busiest.stage, busiest.lane,
                        format_seconds(busiest.seconds), format_seconds(iteration));
  }
  std::vector<Row> rows{{"stage", "function", "compute", "uplink", "downlink", "early GETs", "503s"}};
  for (std::size_t k = 0; k < uses.size(); ++k)
    rows.push_back({std::to_string(k), in_words(plan.stages[k].size()), share(uses[k].busy.computing, iteration),
                    share(uses[k].busy.uploading, iteration), share(uses[k].busy.downloading, iteration),
                    std::to_string(uses[k].early_gets), std::to_string(uses[k].refused)});
  text += drawn({std::move(rows), {"503s", "early GETs", "function"}}, width);
  text += fmt::format("\n{} to the first forward", format_seconds(result.first_forward));
  const auto invocations = result.bill.total().invocations;
  text += fmt::format("; {} of {}\n", counted(invocations, "invocation"), counted(plan.worker_count(), "worker"));
  if (plan.worker_count() > report.platform.limits.concurrency)
    text += fmt::format("Warning: {} runs {} functions at once unless asked for more.\n", report.platform.name,
                        report.platform.limits.concurrency);
  const Dollars storage = storage_of(report);
  text += fmt::format("\nBill\n{}", bill_table(result.bill, report.platform.prices, width));
  if (storage >= 1e-6)
    text += fmt::format("  storage: {}, with it {}\n", format_dollars(storage),
                        format_dollars(storage + result.bill.total().dollars(report.platform.prices)));
  return text;
}

nlohmann::json simulation_report_json(const SimulationReport& report) {
  const SimulationResult& result = report.result;
  nlohmann::json iterations = nlohmann::json::array(), stages = nlohmann::json::array();
  for (std::size_t i = 0; i < result.iterations.size(); ++i) iterations.push_back(result.seconds_of(i));
  const std::vector<StageUse> uses = stage_uses(report);
  for (const StageUse& use : uses)
    stages.push_back({{"computing_seconds", use.busy.computing},
                      {"uploading_seconds", use.busy.uploading},
                      {"downloading_seconds", use.busy.downloading},
                      {"early_gets", use.early_gets},
                      {"refused_requests", use.refused},
                      {"invocations", use.invocations}});
  nlohmann::json json = {{"iteration_seconds", std::move(iterations)},
                         {"median_iteration_seconds", result.median_seconds()},
                         {"first_forward_seconds", result.first_forward},
                         {"total_seconds", result.total},
                         {"stages", std::move(stages)},
                         {"bill", to_json(result.bill, report.platform.prices)},
                         {"storage_dollars", storage_of(report)},
                         {"operations", result.operations},
                         {"events", result.events},
                         {"programs_proven", report.fleet.proven}};
  if (report.fleet.predicted) json["predicted_iteration_seconds"] = report.fleet.prediction.iteration;
  if (!result.iterations.empty()) {
    const Busiest busiest = busiest_of(uses);
    json["busiest"] = {{"stage", busiest.stage}, {"lane", std::string(busiest.lane)}, {"seconds", busiest.seconds}};
  }
  if (result.failure)
    json["failure"] = {{"code", std::string(to_string(result.failure->code))},
                       {"message", result.failure->message},
                       {"place", result.failure->place},
                       {"hint", result.failure->hint}};
  return json;
}

}  // namespace funcpipe
