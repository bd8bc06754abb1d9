// A picture as an SVG file, drawn in pixels from the top left.
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
  std::string_view edge;     // colour of its line; none: no line
  double edge_width = 1;     // pixels, half of them inside
  std::string_view tooltip;  // what a pointer that rests on it is told
};

class Svg {
 public:
  Svg(double width, double height, std::string_view title);  // on white; `title` is for screen readers

  void rectangle(double x, double y, double width, double height, std::string_view colour, const BoxStyle& style = {});
  // Lets the pointer through to what is below.
  void outline(double x, double y, double width, double height, std::string_view colour, double edge_width);
  void line(double x0, double y0, double x1, double y1, std::string_view colour, double width = 1);
  void path(const std::vector<std::pair<double, double>>& points, std::string_view colour, double width = 1);
  void circle(double x, double y, double radius, std::string_view fill, std::string_view edge = "none");
  void text(double x, double y, std::string_view words, const TextStyle& style = {});  // `y`: of the base line

  // Slanting lines on a ground, as a colour for rectangle(): "url(#name)".
  void hatching(std::string_view name, std::string_view ground, std::string_view lines);

  std::string str() const { return head_ + body_ + "</svg>\n"; }

 private:
  std::string head_, body_;
};

// One direction of a diagram: figures from `least` to `most` on pixels from `from` to `to`.
class Axis {
 public:
  // Logarithmic if the figures differ by more than a factor of 4. Both ends are moved outwards to have room.
  Axis(double least, double most, double from, double to);
  double position(double value) const;
  std::vector<double> ticks() const;  // round figures within

 private:
  double scaled(double value) const;
  bool logarithmic_;
  double low_, high_, from_, to_;
};

}  // namespace funcpipe
