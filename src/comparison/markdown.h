// A table as Markdown, padded so that it can be read as it is.
#pragma once

#include <string>
#include <vector>

namespace funcpipe {

class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> head) : rows_{std::move(head)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }  // as many as the head has
  std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace funcpipe
