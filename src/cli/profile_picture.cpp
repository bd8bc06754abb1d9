#include "cli/profile_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/svg.h"

namespace funcpipe {
namespace {

constexpr double kWidth = 900, kPanel = 150, kGap = 56, kLeft = 78, kRight = 24, kTop = 48;

struct Series {
  std::string_view colour, name;
  std::function<double(int)> of;  // the value of a layer
};

struct Panel {
  std::string title;
  std::function<std::string(double)> label;
  std::vector<Series> series;  // stacked, the first at the bottom
};

void draw(Svg& svg, const Panel& panel, int layers, double top) {
  double most = 0;
  for (int i = 0; i < layers; ++i) {
    double sum = 0;
    for (const Series& series : panel.series) sum += series.of(i);
    most = std::max(most, sum);
  }
  if (most <= 0) most = 1;
  const double bottom = top + kPanel, step = (kWidth - kLeft - kRight) / layers;
  for (const double share : {0.0, 0.5, 1.0}) {
    const double y = bottom - share * kPanel;
    svg.line(kLeft, y, kWidth - kRight, y, "#e4e4e4");
    svg.text(kLeft - 8, y + 4, panel.label(share * most), {.anchor = Anchor::end});
  }
  for (int i = 0; i < layers; ++i) {
    double y = bottom;
    for (const Series& series : panel.series) {
      const double height = series.of(i) / most * kPanel;
      y -= height;
      svg.rectangle(kLeft + i * step, y, std::max(step * 0.85, 0.5), height, series.colour);
    }
  }
  svg.text(kLeft, top - 10, panel.title, {.bold = true});
  double x = kWidth - kRight;
  for (auto series = panel.series.rbegin(); series != panel.series.rend(); ++series) {
    svg.text(x, top - 10, series->name, {.anchor = Anchor::end});
    x -= 7.0 * static_cast<double>(series->name.size()) + 8;
    svg.rectangle(x - 10, top - 19, 10, 10, series->colour);
    x -= 24;
  }
}

}  // namespace

std::string profile_picture(const Profile& profile) {
  const MicroBatchProfile& at = profile.micro_batches.back();
  const std::size_t option = profile.options.size() - 1;
  const int layers = profile.layer_count();
  const auto bytes = [](double value) { return format_bytes(static_cast<Bytes>(value)); };
  const std::vector<Panel> panels = {
      {"Seconds of a layer",
       [](double value) { return format_seconds(value); },
       {{"#3b6ea5", "forward", [&](int i) { return at.times[option][i].forward; }},
        {"#c8442e", "backward", [&](int i) { return at.times[option][i].backward; }}}},
      {"Memory of a layer",
       bytes,
       {{"#5a8f5a", "parameters", [&](int i) { return static_cast<double>(profile.trainable_bytes(i, i + 1)); }},
        {"#d9a441", "activations", [&](int i) { return static_cast<double>(at.sizes[i].activations); }},
        {"#bbbbbb", "working space", [&](int i) { return static_cast<double>(at.sizes[i].working); }}}},
      {"What a cut after it sends",
       bytes,
       {{"#3b6ea5", "forward", [&](int i) { return static_cast<double>(at.sizes[i].border); }},
        {"#c8442e", "back", [&](int i) { return static_cast<double>(at.sizes[i].border_gradient); }}}}};
  const double height = kTop + static_cast<double>(panels.size()) * (kPanel + kGap) + 12;
  const std::string title =
      fmt::format("{}, micro-batch {}, {} MB with {:.3g} vCPUs of {}", profile.model.source, at.micro_batch,
                  profile.options[option].memory_mb, profile.options[option].vcpus, profile.platform);
  Svg svg(kWidth, height, title);
  svg.text(kLeft, 24, title, {.size = 15, .bold = true});
  double top = kTop + 18;
  for (const Panel& panel : panels) {
    draw(svg, panel, layers, top);
    top += kPanel + kGap;
  }
  svg.text(kWidth / 2, height - 14, fmt::format("layers 0 to {}", layers - 1), {.anchor = Anchor::middle});
  return svg.str();
}

}  // namespace funcpipe
