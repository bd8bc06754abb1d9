#include <fmt/format.h>

#include <algorithm>

#include "comparison/diagram.h"
#include "comparison/phrases.h"
#include "comparison/pictures.h"

namespace funcpipe {
namespace {

constexpr double kWidth = 250, kHeight = 190, kAcross = 320, kDown = 262, kLeft = 60, kTop = 122;

// Returns the simulated plans that no other one beats, fastest first.
std::vector<const PlayedPlan*> undominated(const SystemResult& system) {
  std::vector<const PlayedPlan*> plans;
  for (const PlayedPlan& plan : system.played) plans.push_back(&plan);
  std::ranges::stable_sort(plans, {}, [](const PlayedPlan* plan) { return plan->seconds; });
  std::vector<const PlayedPlan*> kept;
  for (const PlayedPlan* plan : plans)
    if (kept.empty() || plan->dollars < kept.back()->dollars) kept.push_back(plan);
  return kept;
}

void draw_cell(Svg& svg, const Cell& cell, const Frame& frame) {
  double least_s = 1e300, most_s = 0, least_d = 1e300, most_d = 0;
  for (const SystemResult& system : cell.systems)
    for (const PlayedPlan* plan : undominated(system)) {
      least_s = std::min(least_s, plan->seconds);
      most_s = std::max(most_s, plan->seconds);
      least_d = std::min(least_d, kPerThousand * plan->dollars);
      most_d = std::max(most_d, kPerThousand * plan->dollars);
    }
  if (most_s == 0) return;
  Diagram diagram(svg, frame, Axis(least_s, most_s, frame.left, frame.right()),
                  Axis(least_d, most_d, frame.bottom(), frame.top));
  diagram.draw_frame({fmt::format("{}, batch {}", cell.model, cell.batch), "seconds", "$"});
  for (const SystemResult& system : cell.systems) {
    const std::vector<const PlayedPlan*> plans = undominated(system);
    const std::string_view colour = colour_of(system.system);
    std::vector<std::pair<double, double>> steps;
    for (const PlayedPlan* plan : plans) {
      const double dollars = kPerThousand * plan->dollars;
      if (!steps.empty()) steps.emplace_back(plan->seconds, steps.back().second);
      steps.emplace_back(plan->seconds, dollars);
    }
    diagram.curve(steps, colour, system.system >= System::published ? 2 : 1.2);
    for (const PlayedPlan* plan : plans) diagram.mark(plan->seconds, kPerThousand * plan->dollars, 2, colour, colour);
  }
  for (const SystemResult& system : cell.systems) {
    if (!system.feasible()) continue;
    const PlayedPlan& chosen = system.at(Aim::between);
    diagram.mark(chosen.seconds, kPerThousand * chosen.dollars, 4.5, "white", colour_of(system.system));
  }
}

}  // namespace

std::string frontiers_picture(const Comparison& comparison, std::size_t platform) {
  const Selection& selection = comparison.selection;
  const double width = kLeft + kAcross * static_cast<double>(selection.batches.size());
  const double height = kTop + kDown * static_cast<double>(selection.models.size());
  const std::string title = fmt::format("Seconds and dollars of an iteration on {}", selection.platforms[platform]);
  Svg svg(width, height, title);
  svg.text(20, 28, title, {.size = 16, .bold = true});
  svg.text(20, 48, "dollars of 1000 iterations; as simulated; ring: least seconds x dollars", {.size = 12});
  std::vector<LegendEntry> entries;
  entries.reserve(kSystems.size());
  for (const System system : kSystems) entries.push_back({colour_of(system), std::string(name_of(system))});
  draw_legend(svg, 20, 72, width - 10, entries);
  for (std::size_t m = 0; m < selection.models.size(); ++m)
    for (std::size_t b = 0; b < selection.batches.size(); ++b)
      draw_cell(svg, comparison.cell(platform, m, b),
                {kLeft + kAcross * static_cast<double>(b), kTop + kDown * static_cast<double>(m), kWidth, kHeight});
  return svg.str();
}

}  // namespace funcpipe
