#pragma once

#include <string>
#include <vector>

namespace funcpipe {

struct Table {
  using Row = std::vector<std::string>;
  std::vector<Row> rows;             // the first is the heading; the last word of each heading is on a line of its own
  std::vector<std::string> dropped;  // headings of columns that a narrow screen leaves out, in this order
  // If not 0, the last column has words: it is aligned left, wrapped where necessary, and at least so wide.
  int words = 0;
};

// Draws the table. The first column is aligned left, the others right, each as wide as its widest cell. Lines have at
// most `width` columns, as far as `dropped` and `words` allow.
std::string drawn(Table table, int width);

// Breaks `text` at blanks into lines of at most `width` columns; a longer word stays whole. All lines but the first are
// indented by `indent`.
std::string wrapped(const std::string& text, int width, int indent);

}  // namespace funcpipe
