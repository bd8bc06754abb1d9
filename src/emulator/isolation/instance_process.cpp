#include "emulator/isolation/instance_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

namespace funcpipe {
namespace asio = boost::asio;
namespace {

// exec may find the program "busy": a child that another thread forked while it unpacked the program may still hold it
// open for writing. So exec is tried again.
constexpr int kBusyAttempts = 200;
constexpr timespec kBusyPause{.tv_sec = 0, .tv_nsec = 5'000'000};
constexpr int kEndWaitMs = 500;
constexpr rlim_t kOpenFiles = 1024;  // Lambda's quota

// What the child needs. It is prepared before fork, because afterwards the child may only make system calls.
struct Prepared {
  const char* program;
  const char* folder;
  std::vector<const char*> doors;
  std::array<char*, 2> arguments;
  std::vector<char*> environment;
  int output, start_report;
  pid_t parent;
};

[[noreturn]] void become(const Prepared& prepared) {
  const auto give_up = [&] {
    const int error = errno;
    const ssize_t written = ::write(prepared.start_report, &error, sizeof error);
    (void)written;
    ::_exit(127);
  };
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // the emulator died before the line above
  for (const char* door : prepared.doors) {
    const int file = ::open(door, O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, "0", 1) != 1) give_up();
    ::close(file);
  }
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(prepared.output, 1) < 0 || ::dup2(prepared.output, 2) < 0) give_up();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(prepared.folder) != 0) give_up();
  // The emulator's own limit of open files is raised; many programs assume the usual one.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > kOpenFiles) {
    files.rlim_cur = kOpenFiles;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  for (int attempt = 0; attempt < kBusyAttempts; ++attempt) {
    ::execve(prepared.program, prepared.arguments.data(), prepared.environment.data());
    if (errno != ETXTBSY) break;
    ::nanosleep(&kBusyPause, nullptr);
  }
  give_up();
  ::_exit(127);
}

tl::unexpected<Error> exhausted(const char* what) {
  return fail(ErrorCode::exhausted, fmt::format("cannot make {}: {}", what, std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<InstanceProcess>> InstanceProcess::spawn(asio::any_io_executor executor,
                                                                const ProcessSpec& spec) {
  int output[2], start_report[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return exhausted("a pipe");
  if (::pipe2(start_report, O_CLOEXEC) != 0) {
    const auto error = exhausted("a pipe");
    ::close(output[0]);
    ::close(output[1]);
    return error;
  }
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  ::fcntl(start_report[0], F_SETFL, O_NONBLOCK);

  Prepared prepared{.program = spec.program.c_str(),
                    .folder = spec.folder.c_str(),
                    .doors = {},
                    .arguments = {const_cast<char*>(spec.program.c_str()), nullptr},
                    .environment = {},
                    .output = output[1],
                    .start_report = start_report[1],
                    .parent = ::getpid()};
  for (const auto& door : spec.doors) prepared.doors.push_back(door.c_str());
  for (const auto& entry : spec.environment) prepared.environment.push_back(const_cast<char*>(entry.c_str()));
  prepared.environment.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid == 0) become(prepared);
  ::close(output[1]);
  ::close(start_report[1]);
  const int pidfd = pid < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const auto error = exhausted("a process");
    ::close(output[0]);
    ::close(start_report[0]);
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    return error;
  }
  ::fcntl(pidfd, F_SETFD, FD_CLOEXEC);
  return std::unique_ptr<InstanceProcess>(
      new InstanceProcess(std::move(executor), pid, pidfd, output[0], start_report[0]));
}

InstanceProcess::InstanceProcess(asio::any_io_executor executor, pid_t pid, int pidfd, int output, int start_report)
    : pid_(pid), pidfd_(executor, pidfd), output_(executor, output), start_report_(executor, start_report) {}

InstanceProcess::~InstanceProcess() {
  end();
}

void InstanceProcess::end() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    // It ends within milliseconds, unless it is stuck in the kernel; then it is left to the system.
    pollfd exit{pidfd_.native_handle(), POLLIN, 0};
    while (::poll(&exit, 1, kEndWaitMs) < 0 && errno == EINTR) {
    }
    reap();
  }
  boost::system::error_code ignored;
  pidfd_.cancel(ignored);
  output_.cancel(ignored);
  start_report_.cancel(ignored);
}

asio::awaitable<Result<>> InstanceProcess::wait_for_start() {
  // A successful exec closes the pipe. A child that fails writes errno to it before it exits.
  boost::system::error_code cancelled;
  co_await start_report_.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, cancelled));
  int error = 0;
  const ssize_t size = ::read(start_report_.native_handle(), &error, sizeof error);
  if (size != static_cast<ssize_t>(sizeof error)) co_return Result<>{};
  const ErrorCode code = error == ENOENT   ? ErrorCode::not_found
                         : error == EACCES ? ErrorCode::permission_denied
                                           : ErrorCode::failed;
  co_return fail(code, std::strerror(error));
}

asio::awaitable<void> InstanceProcess::wait_for_exit() {
  if (!status_) co_await pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  reap();
}

void InstanceProcess::reap() {
  int status = 0;
  pid_t pid;
  do {
    pid = status_ ? -1 : ::waitpid(pid_, &status, WNOHANG);
  } while (pid < 0 && !status_ && errno == EINTR);
  if (pid == pid_) status_ = status;
}

asio::awaitable<void> InstanceProcess::wait_for_output() {
  co_await output_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

bool InstanceProcess::read_output(const std::function<void(std::string_view)>& sink) {
  std::array<char, 16384> buffer;
  // The number of reads is limited, so that a process that prints without end cannot hold up the others.
  for (int round = 0; round < 16; ++round) {
    const ssize_t size = ::read(output_.native_handle(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    sink({buffer.data(), static_cast<std::size_t>(size)});
  }
  return true;
}

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::strsignal(signal);
    std::string text = signal == SIGKILL ? "killed" : name ? name : std::to_string(signal);
    for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return "signal: " + text;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return fmt::format("exit status {}", WEXITSTATUS(status));
  return {};
}

}  // namespace funcpipe
