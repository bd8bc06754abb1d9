// Writes a table in Markdown. Cells are padded, so that the text itself is readable.
#pragma once

#include <string>
#include <vector>

namespace funcpipe {

class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> head) : rows_{std::move(head)} {}
  // Adds a row, which has as many cells as the head.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace funcpipe
