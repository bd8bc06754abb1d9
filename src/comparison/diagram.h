// Draws one of several diagrams of a picture: a frame with ticks, curves and marks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/svg.h"
#include "comparison/systems.h"

namespace funcpipe {

std::string_view colour_of(System system);

struct Frame {
  double left = 0, top = 0, width = 0, height = 0;  // Pixels of the diagram itself; labels are outside.
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

struct DiagramWords {
  std::string title, x, y;
};

class Diagram {
 public:
  Diagram(Svg& svg, const Frame& frame, const Axis& x, const Axis& y) : svg_(svg), frame_(frame), x_(x), y_(y) {}

  void draw_frame(const DiagramWords& words);
  void curve(const std::vector<std::pair<double, double>>& points, std::string_view colour, double width = 2);
  void mark(double x, double y, double radius, std::string_view fill, std::string_view edge);
  double x(double value) const { return x_.position(value); }
  double y(double value) const { return y_.position(value); }
  const Frame& frame() const { return frame_; }

 private:
  Svg& svg_;
  Frame frame_;
  Axis x_, y_;
};

struct LegendEntry {
  std::string_view colour;
  std::string words;
};
// Draws coloured squares with words in rows from `x` to at most `most`.
void draw_legend(Svg& svg, double x, double y, double most, const std::vector<LegendEntry>& entries);

// Returns round figures on `axis` whose positions are at least `room` pixels apart.
std::vector<double> sparse_ticks(const Axis& axis, double room);

}  // namespace funcpipe
