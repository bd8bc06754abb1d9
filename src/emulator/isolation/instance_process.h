// The process of a function instance: a session of its own that dies with the emulator's thread, its output in a pipe.
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
  std::filesystem::path program;         // absolute
  std::filesystem::path folder;          // to work in
  std::vector<std::string> environment;  // "NAME=value", all of it
  std::vector<std::string> doors;        // control files that let the process into its sandbox
};

class InstanceProcess {
 public:
  // The process must be spawned from a thread that lives as long as it should. Returns after fork; wait_for_start()
  // says whether the program could be executed. Errors: exhausted.
  static Result<std::unique_ptr<InstanceProcess>> spawn(boost::asio::any_io_executor executor, const ProcessSpec& spec);
  ~InstanceProcess();  // end()

  pid_t pid() const { return pid_; }
  // SIGKILL, and waits for the end, half a second at most; what froze the process must have let go. Wakes whoever
  // waits; the last output can still be read.
  void end();
  // At once, without error, if it was ended meanwhile. Errors: not_found, permission_denied, failed (whatever else exec
  // or entering the sandbox said).
  boost::asio::awaitable<Result<>> wait_for_start();
  boost::asio::awaitable<void> wait_for_exit();
  std::optional<int> exit_status() const { return status_; }  // as waitpid gives it; nullopt while it runs

  boost::asio::awaitable<void> wait_for_output();  // until there is some, or its end
  // What was printed since the last call; false once every writer has closed.
  bool read_output(const std::function<void(std::string_view)>& sink);

 private:
  InstanceProcess(boost::asio::any_io_executor executor, pid_t pid, int pidfd, int output, int start_report);
  void reap();

  pid_t pid_;
  boost::asio::posix::stream_descriptor pidfd_, output_, start_report_;
  std::optional<int> status_;
};

// "exit status 3", "signal: killed"; nothing for a plain 0.
std::string describe_exit(int status);

}  // namespace funcpipe
