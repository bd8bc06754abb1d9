#include "base/clock.h"

#include <chrono>
#include <ctime>

namespace funcpipe {

using std::chrono::duration;
using std::chrono::steady_clock;

Seconds SystemClock::now() const {
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

bool SystemClock::sleep_until(Seconds deadline, std::stop_token stop) {
  const Seconds wait = deadline - now();
  if (wait <= 0) return !stop.stop_requested();
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop, duration<double>(wait), [] { return false; });
  return !stop.stop_requested();
}

Seconds ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

bool ManualClock::sleep_until(Seconds deadline, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [&] { return now_ >= deadline; });
}

void ManualClock::advance(Seconds seconds) {
  {
    std::lock_guard lock(mutex_);
    now_ += seconds;
  }
  changed_.notify_all();
}

DilatedClock::DilatedClock(Clock& clock, double dilation) : clock_(clock), dilation_(dilation) {}

Seconds DilatedClock::now() const {
  return clock_.now() / dilation_;
}

bool DilatedClock::sleep_until(Seconds deadline, std::stop_token stop) {
  return clock_.sleep_until(deadline * dilation_, std::move(stop));
}

Seconds unix_time() {
  return duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Seconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace funcpipe
