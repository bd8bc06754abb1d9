#include "job/report_line.h"

#include <charconv>

namespace funcpipe {
namespace {

double number_after(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + label.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::optional<ReportLine> last_report_line(std::string_view log) {
  const std::size_t at = log.rfind("REPORT RequestId:");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view line = log.substr(at);
  line = line.substr(0, line.find('\n'));
  ReportLine report;
  report.billed = number_after(line, "Billed Duration:") / 1000;
  report.memory_mb = static_cast<int>(number_after(line, "Memory Size:"));
  report.max_memory_mb = static_cast<int>(number_after(line, "Max Memory Used:"));
  return report;
}

}  // namespace funcpipe
