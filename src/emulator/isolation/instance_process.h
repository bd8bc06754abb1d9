// The process of a function instance. It leads a session of its own, dies with the emulator's thread, and writes its
// output to a pipe.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

struct ProcessSpec {
  std::filesystem::path program;         // an absolute path
  std::filesystem::path folder;          // the working directory
  std::vector<std::string> environment;  // all of its environment, as "NAME=value"
  std::vector<std::string> doors;        // control files by which the process enters its sandbox
};

class InstanceProcess {
 public:
  // Starts the process. It dies when the calling thread ends. Returns after fork; wait_for_start() says whether the
  // program could be executed. Errors: exhausted.
  static Result<std::unique_ptr<InstanceProcess>> spawn(boost::asio::any_io_executor executor, const ProcessSpec& spec);
  ~InstanceProcess();  // end()

  pid_t pid() const { return pid_; }
  // Sends SIGKILL and waits for the end, at most half a second. A frozen process must be thawed first. Wakes everyone
  // who waits; the last output can still be read.
  void end();
  // Waits until the program runs. Returns at once and without an error if end() was called meanwhile. Errors:
  // not_found, permission_denied, or failed for any other error of exec or of entering the sandbox.
  boost::asio::awaitable<Result<>> wait_for_start();
  boost::asio::awaitable<void> wait_for_exit();
  std::optional<int> exit_status() const { return status_; }  // as waitpid gives it; nullopt while the process runs

  boost::asio::awaitable<void> wait_for_output();  // until there is some, or the pipe is closed
  // Passes to `sink` what was printed since the last call. Returns false once every writer has closed the pipe.
  bool read_output(const std::function<void(std::string_view)>& sink);

 private:
  InstanceProcess(boost::asio::any_io_executor executor, pid_t pid, int pidfd, int output, int start_report);
  void reap();

  pid_t pid_;
  boost::asio::posix::stream_descriptor pidfd_, output_, start_report_;
  std::optional<int> status_;
};

// Returns "exit status 3" or "signal: killed"; empty for exit status 0.
std::string describe_exit(int status);

}  // namespace funcpipe
