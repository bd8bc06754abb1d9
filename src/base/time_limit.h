// A stop that comes after some seconds, or when another one does: for work that is to give what it has by then.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/units.h"

namespace funcpipe {

class TimeLimit {
 public:
  // `limit`: seconds of wall time from now; infinite: none.
  TimeLimit(Seconds limit, const std::stop_token& outer);
  std::stop_token token() const { return source_.get_token(); }
  // Whether the time is over, and not because of the outer stop.
  bool over() const { return source_.stop_requested() && !outer_.stop_requested(); }

 private:
  struct Forward {
    std::stop_source* to;
    void operator()() const { to->request_stop(); }
  };

  std::stop_token outer_;
  std::stop_source source_;
  std::stop_callback<Forward> forward_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread timer_;  // last: it uses the others
};

}  // namespace funcpipe
