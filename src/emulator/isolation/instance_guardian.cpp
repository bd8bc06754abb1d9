#include "emulator/isolation/instance_guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace funcpipe {
namespace {

// One message of the pipe. It is shorter than PIPE_BUF, so it is written and read as a whole.
struct Order {
  pid_t leader = 0;
  bool watch = false;
  std::array<char, 480> file{};  // empty: nothing to write
  std::array<char, 16> value{};
};
static_assert(sizeof(Order) <= 512);

constexpr std::size_t kMostInstances = 2048;

// The child of a process with threads may only make system calls: it must not allocate or lock.
[[noreturn]] void guard(int pipe, Order* watched) {
  std::size_t count = 0;
  Order order;
  for (;;) {
    const ssize_t size = ::read(pipe, &order, sizeof order);
    if (size < 0 && errno == EINTR) continue;
    if (size != static_cast<ssize_t>(sizeof order)) break;
    if (order.watch && count < kMostInstances) {
      watched[count++] = order;
      continue;
    }
    for (std::size_t i = 0; i < count; ++i)
      if (watched[i].leader == order.leader) watched[i--] = watched[--count];
  }
  for (std::size_t i = 0; i < count; ++i) {
    ::kill(-watched[i].leader, SIGKILL);
    const int file = watched[i].file[0] ? ::open(watched[i].file.data(), O_WRONLY) : -1;
    if (file < 0) continue;
    const ssize_t written = ::write(file, watched[i].value.data(), ::strlen(watched[i].value.data()));
    ::close(file);
    (void)written;
  }
  ::_exit(0);
}

// If somebody has stopped the guardian and the pipe is full, the message is dropped: the emulator must not wait for it.
void send(int pipe, const Order& order) {
  ssize_t written;
  do {
    written = ::write(pipe, &order, sizeof order);
  } while (written < 0 && errno == EINTR);
}

constexpr int kEndWaitMs = 5000;

}  // namespace

Result<std::unique_ptr<InstanceGuardian>> InstanceGuardian::start() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return fail(ErrorCode::exhausted, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const auto watched = std::make_unique<Order[]>(kMostInstances);  // fork makes the child's copy
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // keeps the terminal's Ctrl-C from the child
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(pipe[0], 0);
    ::close_range(1, ~0U, 0);  // leaves the child no socket and no copy of the pipe's other end
    guard(0, watched.get());
  }
  ::close(pipe[0]);
  ::fcntl(pipe[1], F_SETFL, O_NONBLOCK);
  if (child < 0) {
    ::close(pipe[1]);
    return fail(ErrorCode::exhausted, fmt::format("cannot start a process: {}", std::strerror(errno)));
  }
  return std::unique_ptr<InstanceGuardian>(new InstanceGuardian(child, pipe[1]));
}

InstanceGuardian::~InstanceGuardian() {
  ::close(pipe_);
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
  pollfd exit{pidfd, POLLIN, 0};
  if (pidfd >= 0 && ::poll(&exit, 1, kEndWaitMs) <= 0) ::kill(child_, SIGKILL);
  if (pidfd >= 0) ::close(pidfd);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void InstanceGuardian::watch(pid_t leader, const std::optional<ControlWrite>& last_write) {
  Order order{.leader = leader, .watch = true};
  if (last_write && last_write->file.size() < order.file.size() && last_write->value.size() < order.value.size()) {
    std::ranges::copy(last_write->file, order.file.begin());
    std::ranges::copy(last_write->value, order.value.begin());
  }
  send(pipe_, order);
}

void InstanceGuardian::forget(pid_t leader) {
  send(pipe_, Order{.leader = leader});
}

}  // namespace funcpipe
