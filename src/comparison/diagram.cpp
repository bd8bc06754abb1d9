#include "comparison/diagram.h"

#include <fmt/format.h>

#include <cmath>

namespace funcpipe {
namespace {

constexpr std::string_view kGrid = "#e6e6e6", kAxis = "#888";
constexpr double kGlyph = 7.3;  // Mean width of a character of 12 pixels height.

}  // namespace

std::string_view colour_of(System system) {
  switch (system) {
    case System::lambda_ml:
      return "#8c6d31";
    case System::lambda_ml_ga:
      return "#e7a33e";
    case System::hybrid_ps:
      return "#3f8f6b";
    case System::hybrid_ps_ga:
      return "#8fce9e";
    case System::tpdmp:
      return "#8a63b5";
    case System::bayes:
      return "#a8a8a8";
    case System::published:
      return "#2f6db3";
    case System::ours:
      return "#d0402b";
  }
  return "#000";
}

std::vector<double> sparse_ticks(const Axis& axis, double room) {
  std::vector<double> all = axis.ticks(), kept;
  // On a logarithmic axis, powers of ten come first, then three times these, then the others.
  const auto weight = [](double tick) {
    const double digit = tick / std::pow(10, std::floor(std::log10(tick) + 1e-9));
    return std::abs(digit - 1) < 1e-6 ? 0 : std::abs(digit - 3) < 1e-6 ? 1 : 2;
  };
  for (int wanted = 0; wanted <= 2; ++wanted)
    for (const double tick : all) {
      if (tick <= 0 ? wanted != 0 : weight(tick) != wanted) continue;
      bool free = true;
      for (const double other : kept) free &= std::abs(axis.position(other) - axis.position(tick)) >= room;
      if (free) kept.push_back(tick);
    }
  return kept;
}

void Diagram::draw_frame(const DiagramWords& words) {
  constexpr double kRoomAcross = 38, kRoomUp = 20;
  for (const double tick : sparse_ticks(x_, kRoomAcross)) {
    svg_.line(x(tick), frame_.top, x(tick), frame_.bottom(), kGrid);
    svg_.text(x(tick), frame_.bottom() + 14, fmt::format("{:g}", tick), {.size = 10, .anchor = Anchor::middle});
  }
  for (const double tick : sparse_ticks(y_, kRoomUp)) {
    svg_.line(frame_.left, y(tick), frame_.right(), y(tick), kGrid);
    svg_.text(frame_.left - 5, y(tick) + 3.5, fmt::format("{:g}", tick), {.size = 10, .anchor = Anchor::end});
  }
  svg_.line(frame_.left, frame_.bottom(), frame_.right(), frame_.bottom(), kAxis);
  svg_.line(frame_.left, frame_.top, frame_.left, frame_.bottom(), kAxis);
  svg_.text(frame_.left + frame_.width / 2, frame_.top - 8, words.title,
            {.size = 12, .anchor = Anchor::middle, .bold = true});
  svg_.text(frame_.left + frame_.width / 2, frame_.bottom() + 29, words.x, {.size = 11, .anchor = Anchor::middle});
  svg_.text(frame_.left - 34, frame_.top - 8, words.y, {.size = 11});
}

void Diagram::curve(const std::vector<std::pair<double, double>>& points, std::string_view colour, double width) {
  std::vector<std::pair<double, double>> pixels;
  pixels.reserve(points.size());
  for (const auto& [a, b] : points) pixels.emplace_back(x(a), y(b));
  svg_.path(pixels, colour, width);
}

void Diagram::mark(double at_x, double at_y, double radius, std::string_view fill, std::string_view edge) {
  svg_.circle(x(at_x), y(at_y), radius, fill, edge);
}

void draw_legend(Svg& svg, double x, double y, double most, const std::vector<LegendEntry>& entries) {
  constexpr double kSquare = 11, kGap = 18, kRow = 18;
  double at = x;
  for (const LegendEntry& entry : entries) {
    const double width = kSquare + 5 + kGlyph * static_cast<double>(entry.words.size()) + kGap;
    if (at + width > most) {
      at = x;
      y += kRow;
    }
    svg.rectangle(at, y - kSquare + 1, kSquare, kSquare, entry.colour);
    svg.text(at + kSquare + 5, y, entry.words, {.size = 12});
    at += width;
  }
}

}  // namespace funcpipe
