// Draws the pictures with curves: all-reduce, scaling and sensitivity.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "comparison/diagram.h"
#include "comparison/pictures.h"

namespace funcpipe {
namespace {

constexpr double kWidth = 270, kHeight = 210, kAcross = 345, kDown = 280, kLeft = 60, kTop = 116;
constexpr std::string_view kThreePhase = "#8c6d31", kPipelined = "#2f6db3", kBound = "#444";

using Points = std::vector<std::pair<double, double>>;
struct Curve {
  Points points;
  std::string_view colour;
  double width = 2;
  bool marked = true;
};

Frame frame_at(std::size_t column, std::size_t row) {
  return {kLeft + kAcross * static_cast<double>(column), kTop + kDown * static_cast<double>(row), kWidth, kHeight};
}

void draw(Svg& svg, const Frame& frame, const std::vector<Curve>& curves, const DiagramWords& words, bool from_zero) {
  double least_x = 1e300, most_x = 0, least_y = 1e300, most_y = 0;
  for (const Curve& curve : curves)
    for (const auto& [x, y] : curve.points) {
      least_x = std::min(least_x, x);
      most_x = std::max(most_x, x);
      least_y = std::min(least_y, y);
      most_y = std::max(most_y, y);
    }
  if (most_x == 0) return;
  Diagram diagram(svg, frame, Axis(least_x, most_x, frame.left, frame.right()),
                  Axis(from_zero ? 0 : least_y, most_y, frame.bottom(), frame.top));
  diagram.draw_frame(words);
  for (const Curve& curve : curves) {
    if (curve.points.size() > 1) diagram.curve(curve.points, curve.colour, curve.width);
    if (!curve.marked) continue;
    for (const auto& [x, y] : curve.points) diagram.mark(x, y, 2.2, curve.colour, curve.colour);
  }
}

Svg sheet(std::size_t columns, std::size_t rows, const std::string& title, const std::string& below) {
  Svg svg(std::max(620.0, kLeft + kAcross * static_cast<double>(columns)), kTop + kDown * static_cast<double>(rows),
          title);
  svg.text(20, 28, title, {.size = 16, .bold = true});
  svg.text(20, 47, below, {.size = 12});
  return svg;
}

}  // namespace

std::string all_reduce_picture(const Comparison& comparison) {
  Svg svg = sheet(comparison.all_reduce.size(), 1, "Summing gradients through storage",
                  fmt::format("{} on each of n replicas, functions of the fastest network; as simulated",
                              format_bytes(kSummedBytes)));
  draw_legend(
      svg, 20, 72, 900,
      {{kThreePhase, "three-phase (LambdaML)"}, {kPipelined, "pipelined (FuncPipe)"}, {kBound, "download bound"}});
  for (std::size_t i = 0; i < comparison.all_reduce.size(); ++i) {
    const AllReduceCurves& curves = comparison.all_reduce[i];
    Curve three{{}, kThreePhase}, pipelined{{}, kPipelined}, bound{{}, kBound, 1.2, false};
    for (const AllReducePoint& point : curves.points) {
      if (point.three_phase > 0) three.points.emplace_back(point.replicas, point.three_phase);
      if (point.pipelined > 0) pipelined.points.emplace_back(point.replicas, point.pipelined);
      bound.points.emplace_back(point.replicas, point.bound);
    }
    draw(svg, frame_at(i, 0), {three, pipelined, bound},
         {fmt::format("{}, {}", curves.platform, format_rate(curves.downlink)), "replicas", "s"}, true);
  }
  return svg.str();
}

std::string scaling_picture(const Comparison& comparison) {
  constexpr std::size_t kColumns = 2;
  const std::size_t count = comparison.scaling.size();
  Svg svg = sheet(std::min(count, kColumns), (count + kColumns - 1) / kColumns,
                  fmt::format("Throughput against workers on {}", comparison.selection.platforms.front()),
                  "weak scaling; as simulated; thin: if the store had no limits");
  std::vector<LegendEntry> entries;
  for (const System system : {System::lambda_ml_ga, System::published, System::ours})
    entries.push_back({colour_of(system), std::string(name_of(system))});
  draw_legend(svg, 20, 72, 900, entries);
  for (std::size_t m = 0; m < count; ++m) {
    std::vector<Curve> curves;
    for (const ScalingCurve& one : comparison.scaling[m].curves) {
      Curve limited{{}, colour_of(one.system)}, unlimited{{}, colour_of(one.system), 0.8, false};
      for (const ScalingPoint& point : one.points) {
        if (point.throughput > 0) limited.points.emplace_back(point.workers, point.throughput);
        unlimited.points.emplace_back(point.workers, point.throughput_unlimited);
      }
      curves.push_back(std::move(unlimited));
      curves.push_back(std::move(limited));
    }
    draw(svg, frame_at(m % kColumns, m / kColumns), curves, {comparison.scaling[m].model, "workers", "samples/s"},
         false);
  }
  return svg.str();
}

std::string sensitivity_picture(const Comparison& comparison) {
  const std::size_t models = comparison.sensitivities.size();
  Svg svg = sheet(
      models, 2,
      fmt::format("Other networks: {}, batch {}", comparison.selection.platforms.front(),
                  comparison.selection.batches[comparison.middle_batch()]),
      "seconds x dollars of the best framework over that of the system: more is better, 1 is equal; as simulated");
  draw_legend(svg, 20, 72, 900,
              {{colour_of(System::published), std::string(name_of(System::published))},
               {colour_of(System::ours), std::string(name_of(System::ours))}});
  for (std::size_t m = 0; m < models; ++m)
    for (const bool bandwidth : {true, false}) {
      Curve published{{}, colour_of(System::published)}, ours{{}, colour_of(System::ours)}, equal{{}, "#bbb", 1, false};
      for (const SensitivityRow& row : comparison.sensitivities[m].rows) {
        if ((bandwidth ? row.network.latency : row.network.bandwidth) != 1) continue;
        const double x = bandwidth ? row.network.bandwidth : row.network.latency;
        equal.points.emplace_back(x, 1);
        if (!row.framework) continue;
        if (row.published) published.points.emplace_back(x, row.framework->product() / row.published->product());
        if (row.ours) ours.points.emplace_back(x, row.framework->product() / row.ours->product());
      }
      for (Curve* curve : {&published, &ours, &equal}) std::ranges::sort(curve->points);
      draw(svg, frame_at(m, bandwidth ? 0 : 1), {equal, published, ours},
           {comparison.sensitivities[m].model, bandwidth ? "times the bandwidth" : "times the latency", "better by"},
           false);
    }
  return svg.str();
}

}  // namespace funcpipe
