// Draws a picture as an SVG file. Coordinates are pixels from the top left. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace funcpipe {

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12;  // pixels
  Anchor anchor = Anchor::start;
  std::string_view colour = "#222";
  bool bold = false;
};

struct BoxStyle {
  std::string_view edge;     // Colour of the edge; empty means no edge.
  double edge_width = 1;     // Pixels, half of them inside the box.
  std::string_view tooltip;  // Text shown while the pointer rests on the box.
};

class Svg {
 public:
  // Begins a picture on a white ground. `title` is for screen readers.
  Svg(double width, double height, std::string_view title);

  void rectangle(double x, double y, double width, double height, std::string_view colour, const BoxStyle& style = {});
  // Draws an edge only. The pointer does not see it, so tooltips of boxes below still show.
  void outline(double x, double y, double width, double height, std::string_view colour, double edge_width);
  void line(double x0, double y0, double x1, double y1, std::string_view colour, double width = 1);
  void path(const std::vector<std::pair<double, double>>& points, std::string_view colour, double width = 1);
  void circle(double x, double y, double radius, std::string_view fill, std::string_view edge = "none");
  void text(double x, double y, std::string_view words, const TextStyle& style = {});  // `y` is that of the base line.

  // Defines a pattern of slanting lines on a ground. rectangle() takes it as the colour "url(#name)".
  void hatching(std::string_view name, std::string_view ground, std::string_view lines);

  std::string str() const { return head_ + body_ + "</svg>\n"; }

 private:
  std::string head_, body_;
};

// One axis of a diagram. It maps figures from `least` to `most` to pixels from `from` to `to`.
class Axis {
 public:
  // The axis is logarithmic if `least` is positive and `most` more than 4 times as large. The range is widened by 6 %
  // at both ends, but a linear axis of figures that are not negative does not go below 0.
  Axis(double least, double most, double from, double to);
  double position(double value) const;  // Pixel of a figure; figures outside the range are put at its ends.
  std::vector<double> ticks() const;    // Round figures within the range, ascending.

 private:
  double scaled(double value) const;
  bool logarithmic_;
  double low_, high_, from_, to_;
};

}  // namespace funcpipe
