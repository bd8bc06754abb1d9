#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "timeline/critical_path.h"
#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

// What `funcpipe timeline` has to say besides its picture.
struct TimelineReport {
  const std::string& name;
  const Played& played;
  const CriticalPath& path;
  const Utilisation& use;
};

// Iterations, each worker's time (of many workers, each stage's), the longest gaps with what they waited for, the
// critical path by what it is made of.
std::string timeline_report(const TimelineReport& report, int width);
nlohmann::json timeline_report_json(const TimelineReport& report);

}  // namespace funcpipe
