#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "comparison/diagram.h"
#include "comparison/gains.h"
#include "comparison/phrases.h"
#include "comparison/pictures.h"

namespace funcpipe {
namespace {

constexpr double kBar = 13, kPair = 2 * kBar + 10, kGroupGap = 26, kLeft = 60, kTop = 96, kHeight = 150, kDown = 236;
constexpr std::string_view kBand = "#f3ead2";
constexpr System kShown[] = {System::published, System::ours};

struct Scale {
  double low, high;
  bool logarithmic;
  double left, top, bottom;  // pixels
  double position(double value) const {
    const double clamped = std::clamp(value, low, high);
    const double share = logarithmic ? std::log(clamped / low) / std::log(high / low) : (clamped - low) / (high - low);
    return bottom - share * (bottom - top);
  }
};

// Draws a bar of `value` from `base` for every cell of a platform. A bar that leaves the scale ends at its edge and is
// labelled with its figure.
template <class Value>
void bars(Svg& svg, const Comparison& comparison, std::size_t platform, const Scale& scale, double base,
          const Value& value, const std::function<std::string(double)>& words) {
  double x = scale.left + 12;
  for (std::size_t m = 0; m < comparison.selection.models.size(); ++m, x += kGroupGap)
    for (std::size_t b = 0; b < comparison.selection.batches.size(); ++b, x += kPair) {
      for (std::size_t i = 0; i < std::size(kShown); ++i) {
        const auto one = gain(comparison.cell(platform, m, b), kShown[i], is_framework);
        if (!one) continue;
        const double figure = value(*one), from = scale.position(base), to = scale.position(figure);
        const double at = x + static_cast<double>(i) * kBar;
        svg.rectangle(at, std::min(from, to), kBar - 2, std::max(1.0, std::abs(from - to)), colour_of(kShown[i]),
                      {.edge = {}, .tooltip = words(figure)});
        if (figure > scale.high || figure < scale.low)
          svg.text(at + kBar / 2 - 1,
                   (figure > scale.high ? scale.top - 3 : scale.bottom + 8) + 6.5 * static_cast<double>(i),
                   words(figure), {.size = 7, .anchor = Anchor::middle});
      }
      svg.text(x + kBar - 1, scale.bottom + 26, fmt::format("{}", comparison.selection.batches[b]),
               {.size = 10, .anchor = Anchor::middle});
    }
}

double group_width(const Comparison& comparison) {
  return kPair * static_cast<double>(comparison.selection.batches.size()) + kGroupGap;
}

void frame(Svg& svg, const Comparison& comparison, const Scale& scale, double right, const std::string& title,
           const double (&band)[2], double base, const std::vector<double>& ticks,
           const std::function<std::string(double)>& words) {
  svg.text(scale.left - 44, scale.top - 12, title, {.size = 12, .bold = true});
  svg.rectangle(scale.left, scale.position(band[1]), right - scale.left,
                scale.position(band[0]) - scale.position(band[1]), kBand);
  for (const double tick : ticks) {
    svg.line(scale.left, scale.position(tick), right, scale.position(tick), "#e6e6e6");
    svg.text(scale.left - 6, scale.position(tick) + 3.5, words(tick), {.size = 10, .anchor = Anchor::end});
  }
  svg.line(scale.left, scale.position(base), right, scale.position(base), "#444");
  double x = scale.left + 12;
  for (std::size_t m = 0; m < comparison.selection.models.size(); ++m, x += group_width(comparison))
    svg.text(x + (group_width(comparison) - kGroupGap) / 2 - 4, scale.bottom + 41, comparison.ground(0, m).model,
             {.size = 11, .anchor = Anchor::middle});
}

}  // namespace

std::string gains_picture(const Comparison& comparison) {
  const Selection& selection = comparison.selection;
  const double right = kLeft + 12 + group_width(comparison) * static_cast<double>(selection.models.size());
  const double column = right + 20;
  const double width = std::max(2 * column, 700.0);
  Svg svg(width, kTop + kDown * static_cast<double>(selection.platforms.size()),
          "Speed-up and saving over the best serverless framework");
  svg.text(20, 28, "Over the best serverless framework (plans of least seconds x dollars, as simulated)",
           {.size = 16, .bold = true});
  draw_legend(svg, 20, 54, width,
              {{colour_of(System::published), std::string(name_of(System::published))},
               {colour_of(System::ours), std::string(name_of(System::ours))},
               {kBand, "the paper's band"}});
  for (std::size_t p = 0; p < selection.platforms.size(); ++p) {
    const double top = kTop + 10 + kDown * static_cast<double>(p);
    const Scale speed{0.25, 16, true, kLeft, top, top + kHeight};
    const Scale saving{-1, 1, false, column + kLeft, top, top + kHeight};
    const auto factor = [](double value) { return fmt::format("{:.3g}x", value); };
    frame(svg, comparison, speed, right, fmt::format("{}: speed-up", selection.platforms[p]), kPaperSpeedup, 1,
          {0.25, 0.5, 1, 2, 4, 8, 16}, factor);
    bars(
        svg, comparison, p, speed, 1, [](const Gain& one) { return one.speedup; }, factor);
    frame(svg, comparison, saving, column + right, fmt::format("{}: saving", selection.platforms[p]), kPaperSaving, 0,
          {-1, -0.5, 0, 0.5, 1}, percent);
    bars(
        svg, comparison, p, saving, 0, [](const Gain& one) { return one.saving; }, percent);
  }
  return svg.str();
}

}  // namespace funcpipe
