#pragma once

#include <optional>
#include <string_view>

#include "base/units.h"

namespace funcpipe {

// The line that Lambda prints at the end of an invocation:
//   REPORT RequestId: ... Duration: 12.3 ms Billed Duration: 13 ms Memory Size: 1024 MB Max Memory Used: 80 MB
struct ReportLine {
  Seconds billed = 0;
  int memory_mb = 0;
  int max_memory_mb = 0;
};

// Returns the last such line of a log; nullopt if there is none.
std::optional<ReportLine> last_report_line(std::string_view log);

}  // namespace funcpipe
