#include "comparison/pages.h"

#include <fmt/format.h>

#include "comparison/markdown.h"
#include "comparison/phrases.h"

namespace funcpipe {
namespace {

std::string heading(const std::string& model, const std::string& platform, int batch) {
  return fmt::format("{}, {}, batch {}", model, platform, batch);
}

std::string figure(double value) {
  return fmt::format("{:.2f}", value);
}

std::string or_refused(double value) {
  return value > 0 ? figure(value) : "refused";
}

std::string predicted_text(const PlayedPlan& plan) {
  return differs(plan) ? figure(plan.predicted_seconds) : "";
}

void add_system(MarkdownTable& table, const SystemResult& system) {
  if (!system.feasible()) {
    table.row({std::string(name_of(system.system)), "-", "", "", "",
               system.refusals > 0 ? "the store refuses: " + system.refused : "nothing fits"});
    return;
  }
  for (const Aim aim : kAims) {
    const PlayedPlan& plan = system.at(aim);
    table.row({std::string(aim == kAims[0] ? name_of(system.system) : ""), std::string(name_of(aim)),
               seconds_text(plan), predicted_text(plan), dollars_text(plan), shape_text(plan.plan)});
  }
}

std::string products_cell(const std::optional<PlayedPlan>& plan) {
  return plan ? fmt::format("{} s, {}", seconds_text(*plan), dollars_text(*plan)) : "-";
}

}  // namespace

std::string plans_page(const Comparison& comparison) {
  std::string text = comparison_head("Every system's best plans");
  text +=
      "Seconds and dollars (of 1000 iterations) are the simulator's. *predicted*: seconds by the planner's arithmetic, "
      "where they differ from the simulator's by more "
      "than 5%. *time*: fewest seconds, *cost*: fewest dollars, *between*: least seconds x dollars.\n\n";
  for (std::size_t p = 0; p < comparison.selection.platforms.size(); ++p) {
    const std::string& platform = comparison.ground(p, 0).platform.name;
    text += fmt::format("## {0}\n\n![frontiers on {0}](frontiers-{0}.svg)\n\n", platform);
    for (std::size_t m = 0; m < comparison.selection.models.size(); ++m)
      for (std::size_t b = 0; b < comparison.selection.batches.size(); ++b) {
        const Cell& cell = comparison.cell(p, m, b);
        MarkdownTable table({"system", "best for", "seconds", "predicted", "dollars", "plan"});
        for (const SystemResult& system : cell.systems) add_system(table, system);
        text += fmt::format("### {}, batch {}\n\n{}", cell.model, cell.batch, table.str());
      }
  }
  return text;
}

std::string breakdown_page(const Comparison& comparison) {
  std::string text = comparison_head("Where the time of an iteration goes");
  text += fmt::format(
      "Of each system's plan of least seconds x dollars at batch {}, in seconds of a steady iteration, all functions "
      "on "
      "average, as simulated. *pipeline*: computing waits for an activation or gradient that moves; "
      "*synchronisation*: for gradients of other replicas; *bubble*: for another function's computing; *other*: "
      "polling, "
      "data, and what nothing that was traced explains.\n\n",
      comparison.selection.batches[comparison.middle_batch()]);
  for (std::size_t p = 0; p < comparison.selection.platforms.size(); ++p)
    text += fmt::format("![breakdown on {0}](breakdown-{0}.svg)\n", comparison.ground(p, 0).platform.name);
  text += "\n";
  MarkdownTable table(
      {"platform", "model", "system", "compute", "pipeline", "synchronisation", "bubble", "other", "sum"});
  for (const CellBreakdown& breakdown : comparison.breakdowns) {
    const Cell& cell = comparison.cells[breakdown.cell];
    for (const Breakdown& one : breakdown.systems) {
      const Shares& s = one.shares;
      table.row({cell.platform, cell.model, std::string(name_of(one.system)), figure(s.compute), figure(s.pipeline),
                 figure(s.synchronisation), figure(s.bubble), figure(s.polling + s.data + s.other), figure(s.sum())});
    }
  }
  return text + table.str();
}

std::string all_reduce_page(const Comparison& comparison) {
  std::string text = comparison_head("Summing gradients through storage");
  text += fmt::format(
      "{} of gradient on each of n replicas, functions of the platform's fastest network, as simulated (polling, 4 "
      "requests in flight each way, the store's limits). *bound*: 2 (1 - 1/n) s/w, the downloads that any algorithm "
      "needs.\n\n![all-reduce](all-reduce.svg)\n\n",
      format_bytes(kSummedBytes));
  for (const AllReduceCurves& curves : comparison.all_reduce) {
    MarkdownTable table({"n", "three-phase s", "pipelined s", "bound s", "pipelined / bound"});
    for (const AllReducePoint& point : curves.points) {
      table.row({fmt::format("{}", point.replicas), or_refused(point.three_phase), or_refused(point.pipelined),
                 figure(point.bound), point.pipelined > 0 ? times(point.pipelined / point.bound) : "-"});
    }
    text += fmt::format("## {}, {} down\n\n{}", curves.platform, format_rate(curves.downlink), table.str());
  }
  return text;
}

std::string scaling_page(const Comparison& comparison) {
  std::string text = comparison_head("Throughput against workers");
  text += fmt::format(
      "Weak scaling: each system's plan of least seconds x dollars at batch {}, with 1, 2, 4, ... replicas of its "
      "stages to {} functions; each replica's share of the batch stays as it was. Samples a second, as simulated: the "
      "median of the third to the fifth iteration. *without limits*: if the store took any number of requests and "
      "bytes; \"refused\": a client gave up after too "
      "many 503s.\n\n![scaling](scaling.svg)\n\n",
      comparison.selection.batches.back(), kMostWorkers);
  for (const Scaling& scaling : comparison.scaling) {
    MarkdownTable table({"system", "workers", "batch", "samples/s", "without limits", "of linear"});
    std::string notes;
    for (const ScalingCurve& curve : scaling.curves) {
      for (const ScalingPoint& point : curve.points) {
        const ScalingPoint& first = curve.points.front();
        const double linear = first.throughput_unlimited * point.workers / first.workers;
        table.row({&point == &first ? std::string(name_of(curve.system)) : "", fmt::format("{}", point.workers),
                   fmt::format("{}", point.batch), or_refused(point.throughput), figure(point.throughput_unlimited),
                   percent(point.throughput / linear)});
      }
      notes += fmt::format("* {}: {} of a replica.", name_of(curve.system), shape_text(curve.plan));
      if (curve.points.empty() || curve.points.back().workers * 2 <= kMostWorkers)
        notes += fmt::format(" No more replicas: {}.", curve.ended);
      if (!curve.refused.empty()) notes += fmt::format(" Refused: {}.", curve.refused);
      notes += "\n";
    }
    text += fmt::format("## {} on {}\n\n{}{}\n", scaling.model, scaling.platform, table.str(), notes);
  }
  return text;
}

std::string ablation_page(const Comparison& comparison) {
  std::string text = comparison_head("What each step does alone");
  text +=
      "Published FuncPipe with one thing of ours at a time, and one thing less (one function size for all stages). Its "
      "planner's plan of least seconds x dollars, as its own figures say, and as it was simulated: seconds, dollars of "
      "1000 iterations. *product*: of seconds and dollars, against published FuncPipe's; less is better.\n\n";
  for (const Ablation& ablation : comparison.ablations) {
    MarkdownTable table({"step", "seconds", "dollars", "product", "plan"});
    for (const AblationRow& row : ablation.rows) {
      if (!row.feasible) {
        table.row({row.step, "-", "-", "-", "nothing fits"});
        continue;
      }
      const AblationRow& base = ablation.rows.front();
      table.row({row.step, seconds_text(row.between), dollars_text(row.between),
                 base.feasible ? percent(row.between.product() / base.between.product() - 1) : "-",
                 shape_text(row.between.plan)});
    }
    text += fmt::format("## {}\n\n{}", heading(ablation.model, ablation.platform, ablation.batch), table.str());
  }
  return text;
}

std::string sensitivity_page(const Comparison& comparison) {
  std::string text = comparison_head("Other networks");
  text +=
      "The platform with its functions' bandwidth, or its store's latency, multiplied; every system planned anew, "
      "pipelines on layers merged to 15. "
      "Plans "
      "of least seconds x dollars, as simulated: seconds, dollars of 1000 iterations. *framework*: the best of "
      "LambdaML, "
      "HybridPS and their -GA.\n\n![sensitivity](sensitivity.svg)\n\n";
  for (const Sensitivity& sensitivity : comparison.sensitivities) {
    MarkdownTable table({"bandwidth", "latency", "framework", "FuncPipe as published", "ours", "published: speed-up",
                         "saving", "ours: speed-up", "saving"});
    for (const SensitivityRow& row : sensitivity.rows) {
      std::vector<std::string> cells = {fmt::format("x {:g}", row.network.bandwidth),
                                        fmt::format("x {:g}", row.network.latency), products_cell(row.framework),
                                        products_cell(row.published), products_cell(row.ours)};
      for (const std::optional<PlayedPlan>* plan : {&row.published, &row.ours}) {
        const bool both = row.framework && *plan;
        cells.push_back(both ? times(row.framework->seconds / (*plan)->seconds) : "-");
        cells.push_back(both ? percent(1 - (*plan)->dollars / row.framework->dollars) : "-");
      }
      table.row(std::move(cells));
    }
    text +=
        fmt::format("## {}\n\n{}", heading(sensitivity.model, sensitivity.platform, sensitivity.batch), table.str());
  }
  return text;
}

}  // namespace funcpipe
