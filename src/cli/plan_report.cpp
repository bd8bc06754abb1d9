#include "cli/plan_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/table.h"
#include "schedule/plan_file.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace {

using Row = Table::Row;

constexpr double kPerThousand = 1000;  // prices are for so many iterations

// Returns the decimals with which the smallest figure of a column has three significant digits.
int decimals_for(double smallest) {
  return smallest > 0 ? std::clamp(2 - static_cast<int>(std::floor(std::log10(smallest))), 0, 9) : 2;
}

std::string short_time(Seconds seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return seconds < 7200 ? fmt::format("{:.1f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

std::string times(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string sync_text(const Plan& plan) {
  return plan.replicas == 1 ? "-" : std::string(traits(plan.sync).column);
}

std::string words_of(const Plan& plan) {
  std::string text =
      fmt::format("{} x {} = {}, micro-batches of {}", times(plan.stage_count(), "stage"),
                  times(plan.replicas, "replica"), times(plan.worker_count(), "function"), plan.micro_batch);
  if (plan.replicas > 1) text += fmt::format(", {} synchronisation", to_string(plan.sync));
  return text;
}

std::string name_of(const Objective& objective) {
  switch (objective.kind) {
    case Objective::Kind::time:
      return "the fastest";
    case Objective::Kind::cost:
      return "the cheapest";
    case Objective::Kind::deadline:
      return fmt::format("the cheapest within {}", format_seconds(objective.limit));
    case Objective::Kind::budget:
      return fmt::format("the fastest for at most {}", format_dollars(objective.limit));
    case Objective::Kind::weighted:
      break;
  }
  return objective.cost_weight == 0 && objective.time_weight == 0
             ? "time and cost alike"
             : fmt::format("{:g} x dollars + {:g} x seconds of an iteration", objective.cost_weight,
                           objective.time_weight);
}

bool names_vcpus(const Plan& plan) {
  return std::ranges::any_of(plan.stages, [](const StagePlan& stage) { return stage.vcpus > 0; });
}

std::string frontier_table(const PlanReport& report, int width) {
  const std::vector<PlannedPoint>& frontier = report.planning.frontier;
  const int second_places = decimals_for(frontier.front().prediction.iteration);
  const int dollar_places = decimals_for(kPerThousand * frontier.back().prediction.iteration_dollars);
  const auto dollars = [&](const PlannedPoint& point) { return outcome_of(point, report.task.accounting).dollars; };
  Dollars least = dollars(frontier.back());
  for (const PlannedPoint& point : frontier) least = std::min(least, dollars(point));
  const int job_places = decimals_for(least);

  Table table;
  table.rows = {{"", "s per iter.", "$ per 1000", "job time", "job $", "stages x replicas", "micro batch", "sync",
                 names_vcpus(frontier.front().plan) ? "stages' MB:vCPUs" : "stages' MB"}};
  const auto add = [&](const PlannedPoint& point, std::string mark) {
    const Prediction& prediction = point.prediction;
    table.rows.push_back({std::move(mark), fmt::format("{:.{}f}", prediction.iteration, second_places),
                          fmt::format("{:.{}f}", kPerThousand * prediction.iteration_dollars, dollar_places),
                          short_time(prediction.training), fmt::format("{:.{}f}", dollars(point), job_places),
                          fmt::format("{} x {}", point.plan.stage_count(), point.plan.replicas),
                          std::to_string(point.plan.micro_batch), sync_text(point.plan), memory_text(point.plan)});
  };
  for (std::size_t i = 0; i < frontier.size(); ++i) add(frontier[i], i == report.planning.chosen ? "=>" : "");
  if (report.own) add(report.own->point, "own");
  table.dropped = {"$ per 1000", "sync", "job time", "micro batch"};
  table.words = 24;
  return drawn(std::move(table), width);
}

std::string stage_table(const PlanReport& report, const PlannedPoint& point, int width) {
  const bool limited = report.task.platform.limit_memory;
  Table table;
  table.rows = {{"stage", "layers", names_vcpus(point.plan) ? "MB:vCPUs" : "MB", limited ? "full" : "needed MB",
                 "computing", "uploading", "downloading", "names"}};
  for (int k = 0; k < point.plan.stage_count(); ++k) {
    const StagePlan& stage = point.plan.stages[k];
    const StagePrediction& predicted = point.prediction.stages[k];
    const std::vector<LayerDescription>& layers = report.task.profile.model.layers;
    const std::string& first = layers[stage.first_layer].name;
    const std::string& last = layers[stage.end_layer - 1].name;
    table.rows.push_back(
        {std::to_string(k), fmt::format("{}-{}", stage.first_layer, stage.end_layer - 1), to_string(stage.size()),
         limited ? fmt::format("{:.0f}%", 100.0 * static_cast<double>(predicted.memory) /
                                              static_cast<double>(std::max<Bytes>(predicted.given, 1)))
                 : std::to_string((predicted.memory + kMiB - 1) / kMiB),
         fmt::format("{:.3f} s", predicted.busy), fmt::format("{:.3f} s", predicted.uploading),
         fmt::format("{:.3f} s", predicted.downloading), first == last ? first : first + " .. " + last});
  }
  table.dropped = {"downloading", "uploading"};
  table.words = 16;
  return drawn(std::move(table), width);
}

std::string bulleted(const std::vector<std::string>& lines, int width) {
  std::string text;
  for (const std::string& line : lines) text += wrapped("  - " + line, width, 4) + "\n";
  return text;
}

std::string by_how_much(double value, double reference, const char* more, const char* less) {
  const double share = value / reference - 1;
  if (std::abs(share) < 5e-4) return {};
  if (share >= 1) return fmt::format("{:.1f} times {}", value / reference, more);
  return fmt::format("{:.1f}% {}", 100 * std::abs(share), share > 0 ? more : less);
}

// Returns for example "3.0% slower and 12.1% cheaper than".
std::string beside(const Candidate& one, const Candidate& other) {
  const std::string time = by_how_much(one.period, other.period, "slower", "faster");
  const std::string price = by_how_much(one.dollars, other.dollars, "dearer", "cheaper");
  if (time.empty() && price.empty()) return "as fast and as cheap as";
  if (time.empty()) return price + " than, and as fast as,";
  return price.empty() ? time + " than, and as cheap as," : time + " and " + price + " than";
}

// Says how far the user's own plan is from the Pareto frontier.
std::vector<std::string> judged(const PlanReport& report) {
  const Candidate& own = report.own->point.candidate;
  std::vector<std::string> lines = {"it is " + beside(own, report.planning.chosen_point().candidate) +
                                    " the chosen plan"};
  const Candidate* cheapest_as_fast = nullptr;
  for (const PlannedPoint& point : report.planning.frontier)
    if (point.candidate.period <= own.period * (1 + Frontier::kTolerance)) cheapest_as_fast = &point.candidate;
  if (!cheapest_as_fast) {
    lines.emplace_back("it is faster than every plan searched: it has replicas or batches the search was not allowed");
  } else if (cheapest_as_fast->dollars < own.dollars * (1 - 1e-6)) {
    lines.push_back(fmt::format("at least as fast and {} is the plan of {:.4g} s an iteration above",
                                by_how_much(cheapest_as_fast->dollars, own.dollars, "dearer", "cheaper"),
                                cheapest_as_fast->period));
  } else {
    lines.emplace_back("no plan is both faster and cheaper");
  }
  for (std::string& line : explain(report.own->point.prediction, report.own->chain, own))
    lines.push_back(std::move(line));
  return lines;
}

// Says how the platform's times were derived if the profile is of another platform; else empty.
std::string derivation(const PlanReport& report) {
  const Adaptation& made = report.adaptation;
  std::string text;
  if (made.derived_from)
    text = fmt::format("The times of its function sizes are derived from {} MB with {:.3g} vCPUs, measured for {}.",
                       made.derived_from->memory_mb, made.derived_from->vcpus, made.measured_for);
  if (std::abs(made.slower - 1) < 1e-9) return text;
  return text + fmt::format("{}Its vCPUs are {:.3g} times as fast as those the profile was made for, {}'s.",
                            text.empty() ? "" : " ", 1 / made.slower, made.measured_for);
}

// Returns "4-7, 9" for ascending numbers.
std::string ranges(const std::vector<int>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", numbers[i]);
    if (last > i) text += fmt::format("-{}", numbers[last]);
    i = last + 1;
  }
  return text;
}

// Says how good the frontier is proven to be.
std::string proof_of(const PlanReport& report) {
  const Planning& planning = report.planning;
  const Proof& proof = planning.proof;
  if (planning.merged_layers > 0)
    return fmt::format("with the {} layers merged to {}: better ones are not ruled out (--layers 0)",
                       report.task.profile.layer_count(), planning.merged_layers);
  if (proof.exact()) return "exactly: there is none better";
  const std::string of = fmt::format("of {} configurations {} are open (replicas {}); --time-limit goes on", proof.all,
                                     proof.open, ranges(proof.open_replicas));
  if (proof.gap == kInfinity)
    return fmt::format("when the time was over: how much better others are is not known of all; {}", of);
  return fmt::format(
      "when the time was over: no other is more than {:g}% faster or {:g}% cheaper than one of them "
      "that is no worse otherwise; {}",
      100 * proof.gap, 100 * proof.gap, of);
}

nlohmann::json proof_json(const Planning& planning) {
  const Proof& proof = planning.proof;
  nlohmann::json json = {{"exact", planning.merged_layers == 0 && proof.exact()},
                         {"configurations", proof.all},
                         {"open_configurations", proof.open},
                         {"open_replicas", proof.open_replicas}};
  json["gap"] = proof.gap < kInfinity ? nlohmann::json(proof.gap) : nlohmann::json();
  return json;
}

nlohmann::json point_json(const PlannedPoint& point) {
  return {{"plan", to_json(point.plan)}, {"prediction", to_json(point.prediction)}};
}

// Returns the outcome of the whole job according to `prediction`.
Outcome outcome_of(const PlannedPoint& point, const Prediction& prediction, const Accounting& accounting) {
  PlannedPoint as_played = point;
  as_played.prediction = prediction;
  return outcome_of(as_played, accounting);
}

nlohmann::json played_json(const PlanReport& report, std::size_t i) {
  const Rehearsal& rehearsal = *report.rehearsed->rehearsals[i];
  const Outcome outcome = outcome_of(report.planning.frontier[i], rehearsal.prediction, report.task.accounting);
  return {{"iteration_seconds", outcome.iteration},
          {"iteration_dollars", outcome.iteration_dollars},
          {"training_seconds", outcome.training},
          {"dollars", outcome.dollars}};
}

constexpr double kWorthAWarning = 0.1;  // a share of the formula's seconds

// Says what simulating the chosen plan showed, and why it is not the one that formulas prefer.
std::vector<std::string> rehearsed(const PlanReport& report) {
  std::vector<std::string> lines;
  if (!report.rehearsed) return lines;
  const RehearsedChoice& choice = *report.rehearsed;
  const std::vector<PlannedPoint>& frontier = report.planning.frontier;
  if (choice.chosen != report.preferred) {
    const PlannedPoint& preferred = frontier[report.preferred];
    std::string line = fmt::format("by formulas the plan of {} an iteration would be chosen; ",
                                   format_seconds(preferred.prediction.iteration));
    if (const auto& played = choice.rehearsals[report.preferred])
      line += fmt::format("played, it takes {}", format_seconds(played->iteration.seconds));
    else
      line += fmt::format("its job ends early: {}", choice.failures[report.preferred]->message);
    lines.push_back(std::move(line));
  }
  const Seconds predicted = frontier[choice.chosen].prediction.iteration;
  if (!choice.rehearsal()) {
    lines.push_back(fmt::format("Warning: nothing but a formula says how long it takes: {} ({})",
                                choice.failures[choice.chosen]->message, choice.failures[choice.chosen]->hint));
    return lines;
  }
  const Seconds played = choice.rehearsal()->iteration.seconds;
  const double apart = played / predicted - 1;
  if (std::abs(apart) > kWorthAWarning)
    lines.push_back(fmt::format(
        "Warning: played, an iteration takes {}, {:.0f}% {} than its formula says ({}): "
        "funcpipe simulate shows where",
        format_seconds(played), 100 * std::abs(apart), apart > 0 ? "more" : "less", format_seconds(predicted)));
  else
    lines.push_back(fmt::format("played in virtual time, an iteration takes {}; by its formula {}",
                                format_seconds(played), format_seconds(predicted)));
  return lines;
}

std::string totals_of(const PlanReport& report, const PlannedPoint& chosen) {
  const auto text = [](const Outcome& outcome) {
    return fmt::format("{} and {}", format_seconds(outcome.training), format_dollars(outcome.dollars));
  };
  const std::string by_formula = text(outcome_of(chosen, report.task.accounting));
  const std::string length = times(report.task.accounting.iterations, "iteration");
  if (!report.rehearsed || !report.rehearsed->rehearsal()) return fmt::format("{} for {}", by_formula, length);
  return fmt::format("{} for {} as played, {} by its formula",
                     text(outcome_of(chosen, report.rehearsed->rehearsal()->prediction, report.task.accounting)),
                     length, by_formula);
}

std::string length_of(const Accounting& accounting) {
  return fmt::format(
      "Times and dollars of a job are for {} (--iterations); funcpipe train takes its own length from "
      "the job file: steps or epochs in [training]",
      times(accounting.iterations, "iteration"));
}

}  // namespace

std::string plan_report(const PlanReport& report, int width) {
  const PlanningTask& task = report.task;
  const Planning& planning = report.planning;
  const PlannedPoint& chosen = planning.chosen_point();
  std::string text =
      wrapped(fmt::format("{} on {}, batches of {}, {}: {} on the Pareto frontier, found in {}, {}",
                          task.profile.model.source, task.platform.name, task.global_batch,
                          times(task.accounting.iterations, "iteration"), times(std::ssize(planning.frontier), "plan"),
                          format_seconds(planning.seconds), proof_of(report)),
              width, 2) +
      "\n";
  if (task.accounting.cost_model == CostModel::paper) text += "Costs are memory x time of the functions alone.\n";
  if (const std::string made = derivation(report); !made.empty()) text += wrapped(made, width, 2) + "\n";
  text += "\n" + frontier_table(report, width);
  text += "\n" + wrapped(fmt::format("Chosen ({}): {}; {}", name_of(task.objective), words_of(chosen.plan),
                                     totals_of(report, chosen)),
                         width, 2);
  text += "\n" + wrapped(length_of(task.accounting), width, 2);
  text += "\n\n" + stage_table(report, chosen, width) + "\n";
  text += bulleted(rehearsed(report), width);
  text += bulleted(explain(chosen.prediction, planning.chain_of(chosen), chosen.candidate), width);
  text += bulleted(report.alternatives, width);
  if (report.own) {
    text += "\n" + wrapped("Your own: " + words_of(report.own->point.plan), width, 2) + "\n\n";
    text += stage_table(report, report.own->point, width) + "\n" + bulleted(judged(report), width);
  }
  return text;
}

nlohmann::json plan_report_json(const PlanReport& report) {
  const Planning& planning = report.planning;
  const PlannedPoint& chosen = planning.chosen_point();
  nlohmann::json frontier = nlohmann::json::array();
  for (std::size_t i = 0; i < planning.frontier.size(); ++i) {
    frontier.push_back(point_json(planning.frontier[i]));
    if (report.rehearsed && report.rehearsed->rehearsals[i]) frontier.back()["played"] = played_json(report, i);
  }
  nlohmann::json result = {{"model", report.task.profile.model.source},
                           {"platform", report.task.platform.name},
                           {"global_batch", report.task.global_batch},
                           {"iterations", report.task.accounting.iterations},
                           {"cost_model", report.task.accounting.cost_model == CostModel::bill ? "bill" : "paper"},
                           {"search_seconds", planning.seconds},
                           {"merged_layers", planning.merged_layers},
                           {"proof", proof_json(planning)},
                           {"frontier", std::move(frontier)},
                           {"chosen", planning.chosen},
                           {"preferred_by_formulas", report.preferred},
                           {"rehearsal", rehearsed(report)},
                           {"explanation", explain(chosen.prediction, planning.chain_of(chosen), chosen.candidate)},
                           {"alternatives", report.alternatives}};
  if (const Adaptation& made = report.adaptation; made.derived_from)
    result["derived_from"] = {{"platform", made.measured_for},
                              {"memory_mb", made.derived_from->memory_mb},
                              {"vcpus", made.derived_from->vcpus}};
  result["slower_than_profiled"] = report.adaptation.slower;
  if (report.own) result["own"] = point_json(report.own->point);
  return result;
}

}  // namespace funcpipe
