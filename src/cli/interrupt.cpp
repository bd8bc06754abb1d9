#include "cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::chrono::seconds kOneWish{1};

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Interrupt::Interrupt(std::string left) : left_(std::move(left)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGINT);
  ::sigaddset(&wanted, SIGTERM);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::sigaddset(&wanted, SIGHUP);  // under nohup it is ignored
  ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC);
  FUNCPIPE_CHECK(wake_ >= 0 && signals_ >= 0, "no descriptors left for signals");
  thread_ = std::jthread([this](std::stop_token ended) { watch(ended); });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(signals_);
  ::close(wake_);
}

void Interrupt::watch(std::stop_token ended) {
  std::chrono::steady_clock::time_point asked;
  while (!ended.stop_requested()) {
    std::array<pollfd, 2> watched{{{signals_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0 || !(watched[0].revents & POLLIN)) continue;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) continue;
    const auto now = std::chrono::steady_clock::now();
    if (source_.stop_requested() && now - asked < kOneWish) continue;
    if (source_.stop_requested()) {
      if (::isatty(STDERR_FILENO) == 1) say("\033[?25h\n");  // a progress view may have hidden the cursor
      say("funcpipe: ended at once" + (left_.empty() ? "" : "; " + left_) + "\n");
      ::_exit(130);
    }
    asked = now;
    source_.request_stop();
  }
}

}  // namespace funcpipe
