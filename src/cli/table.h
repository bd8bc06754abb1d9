#pragma once

#include <string>
#include <vector>

namespace funcpipe {

struct Table {
  using Row = std::vector<std::string>;
  std::vector<Row> rows;             // the first one the heading, whose last words go on a line of their own
  std::vector<std::string> dropped;  // headings of the columns that a narrow screen does without, in this order
  // Least width of the last column if it is words, to the left and broken over lines where they do not fit; 0: it is
  // like the others.
  int words = 0;
};

// First column to the left, the others to the right, each as wide as its widest cell. Lines have at most `width`
// columns, as far as `dropped` and `words` allow.
std::string drawn(Table table, int width);

// `text` broken at blanks into lines of at most `width` columns (a longer word stays whole); the second and further
// ones are indented by `indent`.
std::string wrapped(const std::string& text, int width, int indent);

}  // namespace funcpipe
