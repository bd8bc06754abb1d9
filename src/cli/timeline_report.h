#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "timeline/critical_path.h"
#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

// What `funcpipe timeline` reports in addition to its picture.
struct TimelineReport {
  const std::string& name;
  const Played& played;
  const CriticalPath& path;
  const Utilisation& use;
};

// Describes the iterations, each worker's time (or each stage's if there are many workers), the longest gaps with what
// they waited for, and what the critical path consists of.
std::string timeline_report(const TimelineReport& report, int width);
nlohmann::json timeline_report_json(const TimelineReport& report);

}  // namespace funcpipe
