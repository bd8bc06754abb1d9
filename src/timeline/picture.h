// Draws a timeline: one row for each worker and lane, with operations coloured by kind, gaps and the critical path. A
// tooltip on a bar or a gap says what it waited for.
#pragma once

#include <string>

#include "timeline/critical_path.h"
#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

struct PictureOptions {
  std::string title;
  // Most workers that are drawn: first those on the critical path, then others in order of their replica.
  int most_workers = 32;
};

// Returns a self-contained SVG file. The same input gives the same bytes. `use` is for the time of the path.
std::string timeline_picture(const Played& played, const CriticalPath& path, const Utilisation& use,
                             const PictureOptions& options);

}  // namespace funcpipe
