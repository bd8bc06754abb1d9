#include <fmt/format.h>

#include <algorithm>

#include "comparison/diagram.h"
#include "comparison/pictures.h"

namespace funcpipe {
namespace {

constexpr double kBar = 15, kRow = 20, kGap = 34, kLeft = 160, kTop = 84, kLength = 520, kWidth = 780;

struct Part {
  std::string_view words, colour;
  double (*of)(const Shares&);
};
constexpr Part kParts[] = {
    {"compute", "#3b6ea5", [](const Shares& s) { return s.compute; }},
    {"pipeline transfer", "#e7a33e", [](const Shares& s) { return s.pipeline; }},
    {"synchronisation", "#c8442e", [](const Shares& s) { return s.synchronisation; }},
    {"bubble", "#d8d8d8", [](const Shares& s) { return s.bubble; }},
    {"polling, data, other", "#9a9a9a", [](const Shares& s) { return s.polling + s.data + s.other; }},
};

}  // namespace

std::string breakdown_picture(const Comparison& comparison, std::size_t platform) {
  const std::size_t models = comparison.selection.models.size();
  const auto breakdown = [&](std::size_t m) -> const CellBreakdown& {
    return comparison.breakdowns[platform * models + m];
  };
  double height = kTop;
  for (std::size_t m = 0; m < models; ++m) height += kGap + kRow * static_cast<double>(breakdown(m).systems.size());
  const std::string title =
      fmt::format("Where an iteration's time goes: {}, batch {}", comparison.selection.platforms[platform],
                  comparison.selection.batches[comparison.middle_batch()]);
  Svg svg(kWidth, height + 10, title);
  svg.text(20, 28, title, {.size = 16, .bold = true});
  std::vector<LegendEntry> entries;
  for (const Part& part : kParts) entries.push_back({part.colour, std::string(part.words)});
  draw_legend(svg, 20, 54, kWidth, entries);
  double y = kTop;
  for (std::size_t m = 0; m < models; ++m, y += kGap) {
    Seconds longest = 0;
    for (const Breakdown& one : breakdown(m).systems) longest = std::max(longest, one.shares.sum());
    svg.text(20, y + 4, comparison.ground(platform, m).model, {.size = 12, .bold = true});
    y += 10;
    for (const Breakdown& one : breakdown(m).systems) {
      svg.text(kLeft - 8, y + kBar - 3.5, name_of(one.system), {.size = 11, .anchor = Anchor::end});
      double x = kLeft;
      for (const Part& part : kParts) {
        const double width = part.of(one.shares) / longest * kLength;
        if (width >= 0.05)
          svg.rectangle(x, y, width, kBar, part.colour,
                        {.edge = {}, .tooltip = fmt::format("{}: {:.2f} s", part.words, part.of(one.shares))});
        x += width;
      }
      svg.text(x + 6, y + kBar - 3.5, fmt::format("{:.3g} s", one.shares.sum()), {.size = 11});
      y += kRow;
    }
    y -= 10;
  }
  return svg.str();
}

}  // namespace funcpipe
