// A small job in a folder of its own, run with the real binaries.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "job/child_process.h"

namespace funcpipe {

class ScratchJob {
 public:
  // `name` is unique among tests. Writes job.toml and data: 96 images of 28 x 28 in 10 classes.
  explicit ScratchJob(const std::string& name);
  ~ScratchJob();  // kills what is left of its processes, removes the folder

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path results() const { return folder_ / "runs" / "tiny"; }
  void write(const std::string& file, const std::string& content) const;
  void replace(const std::string& text, const std::string& by) const;  // in job.toml

  // Runs `before` (shell commands) and then funcpipe with `arguments` in the folder, until it ends or `stop`.
  ChildOutput run(const std::vector<std::string>& arguments, const std::string& before = "true",
                  std::stop_token stop = {}) const;

  // Processes that work in the folder or below it; those of function instances do.
  std::vector<pid_t> processes() const;
  std::vector<pid_t> instances() const;  // of them, those that run a worker
  // The one that runs `funcpipe COMMAND`; 0: none does.
  pid_t client(const std::string& command) const;
  bool nothing_runs() const;  // at the latest after a few seconds
  // No result file and no trace of one, beyond the embedded cloud's logs.
  bool no_results() const;

 private:
  std::filesystem::path folder_;
};

// Whether `holds` becomes true within so many seconds; it is asked every 50 ms.
bool soon(const std::function<bool()>& holds, int seconds = 60);

// An array in NumPy's format.
std::string npy(const std::string& type, const std::vector<int>& shape, const std::string& bytes);

}  // namespace funcpipe
