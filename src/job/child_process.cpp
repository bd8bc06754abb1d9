#include "job/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

namespace funcpipe {
namespace {

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) read_end = ends[0], write_end = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool good() const { return read_end >= 0; }
  void close_read() { close(read_end); }
  void close_write() { close(write_end); }

  int read_end = -1;
  int write_end = -1;

 private:
  static void close(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
  }
};

// Appends what can be read now; closes the pipe at its end.
void drain(Pipe& pipe, std::string& text) {
  std::array<char, 65536> block;
  const ssize_t got = ::read(pipe.read_end, block.data(), block.size());
  if (got > 0)
    text.append(block.data(), static_cast<std::size_t>(got));
  else if (got == 0 || errno != EINTR)
    pipe.close_read();
}

class SpawnSettings {
 public:
  SpawnSettings(const Pipe& out, const Pipe& err) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
    ::posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Result<ChildOutput> run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                              std::stop_token stop, const std::map<std::string, std::string>& environment,
                              const std::function<bool(std::string_view)>& left_out) {
  Pipe out, err, wake;
  if (!out.good() || !err.good() || !wake.good())
    return fail(ErrorCode::exhausted, fmt::format("cannot make a pipe: {}", std::strerror(errno)), program.string());

  const std::string name = program.string();
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> more;
  for (const auto& [variable, value] : environment) more.push_back(variable + "=" + value);
  std::vector<char*> variables;
  for (std::string& variable : more) variables.push_back(variable.data());
  for (char** own = environ; *own; ++own) {
    const std::string_view assignment(*own);
    const std::string_view variable = assignment.substr(0, assignment.find('='));
    if (!environment.contains(std::string(variable)) && !(left_out && left_out(variable))) variables.push_back(*own);
  }
  variables.push_back(nullptr);
  const SpawnSettings settings(out, err);
  pid_t pid = 0;
  if (const int error =
          ::posix_spawn(&pid, name.c_str(), &settings.actions, &settings.attributes, argv.data(), variables.data()))
    return fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::exhausted,
                fmt::format("cannot be started: {}", std::strerror(error)), name);
  out.close_write();
  err.close_write();

  ChildOutput output;
  {
    const std::stop_callback kill_child(stop, [&] {
      ::kill(-pid, SIGKILL);
      [[maybe_unused]] const ssize_t written = ::write(wake.write_end, "", 1);
    });
    while (!stop.stop_requested() && (out.good() || err.good())) {
      std::array<pollfd, 3> watched{{{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {wake.read_end, POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
      if (watched[0].revents) drain(out, output.out);
      if (watched[1].revents) drain(err, output.err);
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped", name);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace funcpipe
