#include "cli/frontier_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/counted.h"
#include "base/svg.h"

namespace funcpipe {
namespace {

constexpr double kWidth = 760, kHeight = 480;
constexpr double kLeft = 80, kRight = 30, kTop = 50, kBottom = 60;
constexpr double kPerThousand = 1000;  // prices are for so many iterations
constexpr std::string_view kFrontier = "#3b6ea5", kChosen = "#c8442e", kOwn = "#7a5195", kGrid = "#e4e4e4";

std::string shape(const PlannedPoint& point) {
  return fmt::format("{} x {}", counted(point.plan.stage_count(), "stage"), point.plan.replicas);
}

struct Diagram {
  Svg svg;
  Axis x, y;

  void frame() {
    for (const double tick : x.ticks()) {
      svg.line(x.position(tick), kTop, x.position(tick), kHeight - kBottom, kGrid);
      svg.text(x.position(tick), kHeight - kBottom + 18, fmt::format("{:g}", tick), {.anchor = Anchor::middle});
    }
    for (const double tick : y.ticks()) {
      svg.line(kLeft, y.position(tick), kWidth - kRight, y.position(tick), kGrid);
      svg.text(kLeft - 8, y.position(tick) + 4, fmt::format("{:g}", tick), {.anchor = Anchor::end});
    }
    svg.line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "#888");
    svg.line(kLeft, kTop, kLeft, kHeight - kBottom, "#888");
    svg.text((kLeft + kWidth - kRight) / 2, kHeight - 18, "seconds of an iteration", {.anchor = Anchor::middle});
    svg.text(12, kTop - 12, "$ for 1000 iterations");
  }
  double x_of(const PlannedPoint& point) const { return x.position(point.prediction.iteration); }
  double y_of(const PlannedPoint& point) const { return y.position(kPerThousand * point.prediction.iteration_dollars); }
  // Writes beside the point, on the side with more room.
  void label(const PlannedPoint& point, const std::string& text, std::string_view colour) {
    const bool left = x_of(point) > kWidth * 0.6;
    const double up = std::max(y_of(point) - 12, kTop + 12);
    svg.text(x_of(point) + (left ? -8 : 8), up, text,
             {.size = 13, .anchor = left ? Anchor::end : Anchor::start, .colour = colour, .bold = true});
  }
};

}  // namespace

std::string frontier_picture(const Planning& planning, const std::optional<Judgement>& own, const std::string& title) {
  std::vector<PlannedPoint> shown = planning.frontier;
  if (own) shown.push_back(own->point);
  const auto range = [&](auto value) {
    const auto less = [&](const PlannedPoint& a, const PlannedPoint& b) { return value(a) < value(b); };
    const auto [least, most] = std::minmax_element(shown.begin(), shown.end(), less);
    return std::pair{value(*least), value(*most)};
  };
  const auto [fastest, slowest] = range([](const PlannedPoint& point) { return point.prediction.iteration; });
  const auto [cheapest, dearest] =
      range([](const PlannedPoint& point) { return kPerThousand * point.prediction.iteration_dollars; });
  Diagram diagram{Svg(kWidth, kHeight, title), Axis(fastest, slowest, kLeft, kWidth - kRight),
                  Axis(cheapest, dearest, kHeight - kBottom, kTop)};
  diagram.frame();
  diagram.svg.text(kWidth / 2, 22, title, {.size = 15, .anchor = Anchor::middle, .bold = true});

  // Between the times of two plans, the price of the faster one is the lowest there is.
  std::vector<std::pair<double, double>> steps;
  for (const PlannedPoint& point : planning.frontier) {
    if (!steps.empty()) steps.emplace_back(diagram.x_of(point), steps.back().second);
    steps.emplace_back(diagram.x_of(point), diagram.y_of(point));
  }
  diagram.svg.path(steps, kFrontier, 1.5);
  for (const PlannedPoint& point : planning.frontier)
    diagram.svg.circle(diagram.x_of(point), diagram.y_of(point), 3, kFrontier);
  const PlannedPoint& chosen = planning.chosen_point();
  diagram.svg.circle(diagram.x_of(chosen), diagram.y_of(chosen), 6, kChosen);
  diagram.label(chosen, fmt::format("chosen: {}", shape(chosen)), kChosen);
  if (own) {
    diagram.svg.circle(diagram.x_of(own->point), diagram.y_of(own->point), 6, "white", kOwn);
    diagram.label(own->point, fmt::format("yours: {}", shape(own->point)), kOwn);
  }
  return diagram.svg.str();
}

}  // namespace funcpipe
