// A timeline as a picture: one row per worker and lane, coloured by kind, standing still and the critical path visible;
// a pointer that rests on a bar or a gap is told what it waited for.
#pragma once

#include <string>

#include "timeline/critical_path.h"
#include "timeline/played.h"
#include "timeline/utilisation.h"

namespace funcpipe {

struct PictureOptions {
  std::string title;
  int most_workers = 32;  // of more, those on the critical path are shown, then whole replicas in order
};

// SVG, self-contained; the same bytes for the same input. `use`: of the path's time.
std::string timeline_picture(const Played& played, const CriticalPath& path, const Utilisation& use,
                             const PictureOptions& options);

}  // namespace funcpipe
