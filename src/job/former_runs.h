// Removes what runs that were killed have left: in their folder, in an embedded cloud, or at endpoints of one's own.
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

// Workers at endpoints of one's own may outlive their client. Each looks for the stop mark at the latest after so many
// seconds of the platform.
inline constexpr Seconds kMarkPatience = 15;

// The former runs of a folder that a new run has taken over. Their functions and objects are removed, except stop
// marks, which the destructor removes.
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

// Removes what dead runs of embedded clouds have left in the folders beside `own`. What a live process uses stays, and
// so does a finished training. Errors are ignored: they must not stop the job that starts.
void clear_dead_neighbours(const std::filesystem::path& own, const Tell& tell);

struct CleanOptions {
  bool discard_trained = false;  // also what `funcpipe assemble` or `funcpipe resume` could make results of
  bool forget_unreachable = false;
};
// For `funcpipe clean`: removes all that is dead in a results folder, or in each results folder inside of it, and the
// control groups of emulators that were killed. Removes only what FuncPipe made. `tell` hears what was removed and what
// stays. Continues after errors and returns all of them; a stop is the last one.
std::vector<Error> clean(const std::filesystem::path& folder, const CleanOptions& options, const Tell& tell,
                         std::stop_token stop);

}  // namespace funcpipe
