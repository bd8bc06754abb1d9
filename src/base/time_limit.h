// A stop token for work that has to return what it has when a time is over or when an outer stop is requested.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/units.h"

namespace funcpipe {

class TimeLimit {
 public:
  // `limit` is seconds of wall time from now. 0 or less stops at once; infinity means no limit.
  TimeLimit(Seconds limit, const std::stop_token& outer);
  std::stop_token token() const { return source_.get_token(); }
  // Returns whether the time is over and no outer stop was requested.
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
  std::jthread timer_;  // Declared last, so that it ends before the members it uses.
};

}  // namespace funcpipe
