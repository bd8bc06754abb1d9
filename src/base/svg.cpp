#include "base/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace funcpipe {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
  }
  return result;
}

std::string_view name_of(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title)
    : head_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 "
                        "{0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\">\n<title>{2}</title>\n",
                        width, height, escaped(title))) {
  rectangle(0, 0, width, height, "white");
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view colour, const BoxStyle& style) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"", x, y, width,
                       height, colour);
  if (!style.edge.empty()) body_ += fmt::format(" stroke=\"{}\" stroke-width=\"{:g}\"", style.edge, style.edge_width);
  body_ += style.tooltip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", escaped(style.tooltip));
}

void Svg::outline(double x, double y, double width, double height, std::string_view colour, double edge_width) {
  body_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"{}\" "
      "stroke-width=\"{:g}\" "
      "pointer-events=\"none\"/>\n",
      x, y, width, height, colour, edge_width);
}

void Svg::hatching(std::string_view name, std::string_view ground, std::string_view lines) {
  body_ += fmt::format(
      "<defs><pattern id=\"{}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
      "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"{}\"/><line x1=\"0\" y1=\"0\" x2=\"0\" "
      "y2=\"6\" stroke=\"{}\" stroke-width=\"1.5\"/></pattern></defs>\n",
      name, ground, lines);
}

void Svg::line(double x0, double y0, double x1, double y1, std::string_view colour, double width) {
  body_ += fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{:g}\"/>\n", x0, y0,
      x1, y1, colour, width);
}

void Svg::path(const std::vector<std::pair<double, double>>& points, std::string_view colour, double width) {
  std::string text;
  for (const auto& [x, y] : points) text += fmt::format("{}{:.1f},{:.1f}", text.empty() ? "" : " ", x, y);
  body_ +=
      fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:g}\"/>\n", text, colour, width);
}

void Svg::circle(double x, double y, double radius, std::string_view fill, std::string_view edge) {
  body_ +=
      fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:g}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>\n", x,
                  y, radius, fill, edge);
}

void Svg::text(double x, double y, std::string_view words, const TextStyle& style) {
  body_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:g}\" text-anchor=\"{}\" fill=\"{}\"{}>{}</text>\n", x, y,
      style.size, name_of(style.anchor), style.colour, style.bold ? " font-weight=\"bold\"" : "", escaped(words));
}

Axis::Axis(double least, double most, double from, double to)
    : logarithmic_(least > 0 && most > 4 * least), low_(least), high_(most), from_(from), to_(to) {
  constexpr double kRoom = 0.06;
  if (logarithmic_) {
    const double factor = std::pow(most / least, kRoom);
    low_ = least / factor;
    high_ = most * factor;
    return;
  }
  const double span = most > least ? most - least : std::max(std::abs(most), 1e-12);
  low_ = least >= 0 ? std::max(0.0, least - kRoom * span) : least - kRoom * span;
  high_ = most + kRoom * span;
}

double Axis::scaled(double value) const {
  return logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
}

double Axis::position(double value) const {
  return from_ + std::clamp(scaled(value), 0.0, 1.0) * (to_ - from_);
}

std::vector<double> Axis::ticks() const {
  std::vector<double> found;
  if (logarithmic_) {
    const int last = static_cast<int>(std::floor(std::log10(high_)));
    for (int decade = static_cast<int>(std::floor(std::log10(low_))); decade <= last; ++decade)
      for (const double digit : {1.0, 2.0, 3.0, 5.0, 7.0})
        if (const double tick = digit * std::pow(10, decade); tick >= low_ && tick <= high_) found.push_back(tick);
    return found;
  }
  const double rough = (high_ - low_) / 5, decade = std::pow(10, std::floor(std::log10(rough)));
  const double step = decade * (rough / decade < 1.5 ? 1 : rough / decade < 3.5 ? 2 : rough / decade < 7.5 ? 5 : 10);
  const auto last = static_cast<std::int64_t>(std::floor(high_ / step));
  for (auto count = static_cast<std::int64_t>(std::ceil(low_ / step)); count <= last; ++count)
    found.push_back(static_cast<double>(count) * step);
  return found;
}

}  // namespace funcpipe
