#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace funcpipe {

// Turns SIGINT, SIGTERM and SIGHUP (a terminal that closes; not if it is ignored already, as under nohup) into a stop
// request. The first signal requests the stop, the second ends the process at once (exit code 130). A signal within a
// second of the first counts as the same: `timeout` signals both the program and its group, and both a terminal and a
// shell pass on a Ctrl-C. It must be made before any other thread, so that threads inherit the blocked signals. One per
// process.
class Interrupt {
 public:
  // `left`: what a process that is ended at once may leave behind; the last message says it. Empty: nothing.
  explicit Interrupt(std::string left = {});
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void watch(std::stop_token ended);

  const std::string left_;
  std::stop_source source_;
  int wake_;  // an eventfd by which the destructor wakes the thread
  int signals_;
  std::jthread thread_;
};

}  // namespace funcpipe
