#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace funcpipe {
namespace {

using Row = Table::Row;

// Divides "train loss" for two lines.
std::pair<std::string, std::string> stacked(const std::string& heading) {
  const std::size_t space = heading.rfind(' ');
  if (space == std::string::npos) return {"", heading};
  return {heading.substr(0, space), heading.substr(space + 1)};
}

std::vector<std::size_t> column_widths(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

// Puts the heading on two lines if one of its cells has several words.
std::vector<Row> with_stacked_heading(const std::vector<Row>& rows) {
  Row above, below;
  for (const std::string& heading : rows.front()) {
    auto [first, last] = stacked(heading);
    above.push_back(std::move(first));
    below.push_back(std::move(last));
  }
  std::vector<Row> result = rows;
  result.front() = std::move(below);
  const bool two_lines = std::any_of(above.begin(), above.end(), [](const std::string& cell) { return !cell.empty(); });
  if (two_lines) result.insert(result.begin(), std::move(above));
  return result;
}

}  // namespace

std::string drawn(Table table, int width) {
  std::vector<Row> rows = with_stacked_heading(table.rows);
  std::vector<std::size_t> widths = column_widths(rows);
  const auto needed = [&] {
    std::size_t sum = std::accumulate(widths.begin(), widths.end(), 2 * widths.size());
    const auto least = static_cast<std::size_t>(table.words);
    if (table.words > 0 && widths.back() > least) sum -= widths.back() - least;
    return sum;
  };
  const auto columns = static_cast<std::size_t>(std::max(width, 1));
  for (auto heading = table.dropped.begin(); heading != table.dropped.end() && needed() > columns; ++heading) {
    const Row& headings = table.rows.front();
    const auto column = std::find(headings.begin(), headings.end(), *heading) - headings.begin();
    for (Row& row : table.rows) row.erase(row.begin() + column);
    rows = with_stacked_heading(table.rows);
    widths = column_widths(rows);
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (table.words > 0 && i + 1 == row.size()) {
        const int indent = static_cast<int>(line.size()) + 2;
        line = wrapped(line + "  " + row[i], width, indent);
      } else {
        line += i == 0 ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
      }
    }
    if (table.words > 0) line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string wrapped(const std::string& text, int width, int indent) {
  std::string result;
  std::string line = text;
  const auto columns = static_cast<std::size_t>(std::max(width, indent + 1));
  while (line.size() > columns) {
    const std::size_t first_word = line.find_first_not_of(' ');
    std::size_t space = line.rfind(' ', columns);
    if (space == std::string::npos || space < first_word || space < static_cast<std::size_t>(indent))
      space = line.find(' ', std::max<std::size_t>(first_word, static_cast<std::size_t>(indent)));
    if (space == std::string::npos) break;
    result += line.substr(0, space) + "\n";
    line = std::string(static_cast<std::size_t>(indent), ' ') + line.substr(line.find_first_not_of(' ', space));
  }
  return result + line;
}

}  // namespace funcpipe
