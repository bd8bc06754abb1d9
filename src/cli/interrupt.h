#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace funcpipe {

// SIGINT, SIGTERM and SIGHUP (a terminal that closes; unless it is ignored already, as nohup has it) as a stop request:
// the first one asks, the second one ends the process at once (exit code 130). One that follows within a second belongs
// to the first: `timeout` sends its signal to the program and to its group, a terminal and a shell both pass on a
// Ctrl-C. Must be made before any other thread, which then inherit the blocked signals. One per process.
class Interrupt {
 public:
  // `left`: what a process that is ended at once may leave behind, for its last message; empty: nothing.
  explicit Interrupt(std::string left = {});
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void watch(std::stop_token ended);

  const std::string left_;
  std::stop_source source_;
  int wake_;  // eventfd: the destructor calls the thread back
  int signals_;
  std::jthread thread_;
};

}  // namespace funcpipe
