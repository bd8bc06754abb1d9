// What runs that were killed left behind: in their folder, in an embedded cloud, at endpoints of one's own.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "job/results_folder.h"
#include "job/run_record.h"

namespace funcpipe {

using Tell = std::function<void(const std::string& what)>;

// Workers at endpoints of one's own that outlived their client: told to end, they look for the stop mark at the latest
// after so many seconds of the platform.
inline constexpr Seconds kMarkPatience = 15;

// The former runs of a folder that a new run has taken over from: their functions and objects are gone, but for stop
// marks, which end() removes.
class FormerRuns {
 public:
  // Takes away what the runs left. A run that is trained, or that has snapshots, is left as it is: already_exists,
  // with the command that assembles its results or goes on with it. What cannot be reached is told and left for later.
  static Result<FormerRuns> take_over(const ResultsFolder& results, const Tell& tell, std::stop_token stop);
  ~FormerRuns();
  FormerRuns(FormerRuns&& other) noexcept;
  FormerRuns& operator=(FormerRuns&&) = delete;

 private:
  struct Marked {
    RunFolder folder;
    RunRecord record;
    Seconds since = 0;
  };
  FormerRuns() = default;
  std::filesystem::path cloud_;
  std::vector<Marked> marked_;
};

// Clears away what dead runs of embedded clouds left in the folders beside `own`; what a live process holds, and a
// training that is trained, stay. Nothing that goes wrong here is an error of the job that starts.
void clear_dead_neighbours(const std::filesystem::path& own, const Tell& tell);

struct CleanOptions {
  bool discard_trained = false;  // also what `funcpipe assemble` or `funcpipe resume` could make results of
  bool forget_unreachable = false;
};
// For `funcpipe clean`: everything dead in a results folder, or in each of those in a folder of them, and control
// groups of emulators that were killed. Only what FuncPipe made goes; `tell` hears what went and what stays. Returns
// the errors of what could not be cleared away, which does not keep it from the rest; a stop is the last of them.
std::vector<Error> clean(const std::filesystem::path& folder, const CleanOptions& options, const Tell& tell,
                         std::stop_token stop);

}  // namespace funcpipe
