#pragma once

#include <string>
#include <vector>

namespace funcpipe {

struct Table {
  using Row = std::vector<std::string>;
  std::vector<Row> rows;             // the first one the heading, whose last words go on a line of their own
  std::vector<std::string> dropped;  // headings of the columns that a narrow screen does without, in this order
  // The last column is words, which are broken over lines where they do not fit; the others are never broken.
  bool words_last = false;
};

// First column to the left, the others to the right, each as wide as its widest cell. Lines have at most `width`
// columns, as far as `dropped` and `words_last` allow.
std::string drawn(Table table, int width);

// `text` broken at blanks into lines of at most `width` columns (a longer word stays whole); the second and further
// ones are indented by `indent`.
std::string wrapped(const std::string& text, int width, int indent);

}  // namespace funcpipe
