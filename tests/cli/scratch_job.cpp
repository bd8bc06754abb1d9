#include "cli/scratch_job.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJob = R"([job]
name = "tiny"
folder = "runs"

[model]
source = "zoo:fashion-cnn?width=2"

[data]
train_input = "x.npy"
train_target = "y.npy"
validation_input = "x.npy"
validation_target = "y.npy"

[optimizer]
lr = 0.05
momentum = 0.9

[training]
steps = 6
global_batch = 16
micro_batch = 4
wait_limit = 60

[metrics]
log_freq = 2

[parallelism]
stages = 2
replicas = 2
)";

// Class c is a bright bar at height 2c: learnt within a few iterations.
std::string images(int count) {
  std::string pixels;
  for (int i = 0; i < count; ++i)
    for (int row = 0; row < 28; ++row)
      for (int column = 0; column < 28; ++column)
        pixels += static_cast<char>(row / 2 == i % 10 ? 200 + column : (i * 7 + row * column) % 60);
  return pixels;
}

std::string classes(int count) {
  std::string labels;
  for (int i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
  return labels;
}

}  // namespace

std::string npy(const std::string& type, const std::vector<int>& shape, const std::string& bytes) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", type, fmt::join(shape, ", "));
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  return file + header + bytes;
}

ScratchJob::ScratchJob(const std::string& name)
    : folder_(fs::canonical(::testing::TempDir()) / fmt::format("funcpipe-{}-{}", name, ::getpid())) {
  fs::remove_all(folder_);
  write("job.toml", kJob);
  write("x.npy", npy("|u1", {96, 1, 28, 28}, images(96)));
  write("y.npy", npy("|u1", {96}, classes(96)));
}

ScratchJob::~ScratchJob() {
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void ScratchJob::write(const std::string& file, const std::string& content) const {
  const auto written = write_file(folder_ / file, content);
  EXPECT_TRUE(written) << describe(written.error());
}

void ScratchJob::replace(const std::string& text, const std::string& by) const {
  std::string job = *read_file(folder_ / "job.toml");
  const std::size_t at = job.find(text);
  ASSERT_NE(at, std::string::npos) << text;
  write("job.toml", job.replace(at, text.size(), by));
}

ChildOutput ScratchJob::run(const std::vector<std::string>& arguments, const std::string& before,
                            std::stop_token stop) const {
  std::string command = fmt::format("cd '{}' && {{ {}; }} && exec '{}'", folder_.string(), before, FUNCPIPE_BINARY);
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  auto output = run_child("/bin/sh", {"-c", command}, stop);
  if (!output) return {-1, "", describe(output.error())};
  return *output;
}

std::vector<pid_t> ScratchJob::processes() const {
  std::vector<pid_t> found;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", status)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid == 0 || pid == ::getpid()) continue;
    const std::string cwd = fs::read_symlink(entry.path() / "cwd", status).string();
    if (!status && cwd.starts_with(folder_.string())) found.push_back(pid);
  }
  return found;
}

pid_t ScratchJob::client(const std::string& command) const {
  for (const pid_t pid : processes()) {
    const std::string line = read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
    if (line.find(std::string("funcpipe") + '\0' + command + '\0') != std::string::npos) return pid;
  }
  return 0;
}

bool soon(const std::function<bool()>& holds, int seconds) {
  for (int i = 0; i < seconds * 20; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::vector<pid_t> ScratchJob::instances() const {
  std::vector<pid_t> workers;
  for (const pid_t pid : processes()) {
    std::error_code status;
    const fs::path program = fs::read_symlink(fmt::format("/proc/{}/exe", pid), status);
    if (!status && program.filename() == "funcpipe-worker") workers.push_back(pid);
  }
  return workers;
}

bool ScratchJob::nothing_runs() const {
  for (int i = 0; i < 100; ++i) {
    if (processes().empty()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

bool ScratchJob::no_results() const {
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(results(), status))
    if (entry.path().filename() != "cloud") return false;
  return true;
}

}  // namespace funcpipe
