// A Lambda server on a thread of its own, and boto3 scripts that drive it as a real client would.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "base/files.h"
#include "emulator/lambda/server.h"

namespace funcpipe {

// As Lambda's, with whole and half vCPUs; bandwidth and latency unlimited.
inline Platform test_platform() {
  Platform platform;
  platform.name = "test";
  const double unlimited = std::numeric_limits<double>::infinity();
  platform.sizes = {{128, 0.25, unlimited, unlimited},
                    {512, 0.5, unlimited, unlimited},
                    {1024, 4, unlimited, unlimited},
                    {10240, 6, unlimited, unlimited}};
  platform.prices.gb_second = 0.0000166667;
  platform.prices.billing_step = 0.001;
  return platform;
}

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "funcpipe-lambda-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code status;
    std::filesystem::remove_all(path_, status);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class LambdaHarness {
 public:
  LambdaHarness(const std::filesystem::path& folder, const Platform& platform, double dilation = 1) {
    client_ = CredentialTable::make(false);
    table_.add({.credentials = client_});
    LambdaOptions options;
    options.platform = platform;
    options.dilation = dilation;
    options.folder = folder;
    options.s3_url = "http://127.0.0.1:1";
    auto server = LambdaServer::start(context_, threads_, options, table_, bill_);
    if (!server)
      ADD_FAILURE() << describe(server.error());
    else
      server_ = std::move(*server);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~LambdaHarness() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    on_thread([this] { server_->stop(); });
    boost::asio::post(context_, [this] { context_.stop(); });
    thread_.join();
    threads_.join();
    server_.reset();
  }

  // Runs `work` on the server's thread and waits for it.
  void on_thread(const std::function<void()>& work) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  Bill bill() {
    Bill copy;
    on_thread([&] { copy = bill_; });
    return copy;
  }
  LambdaServer& server() { return *server_; }
  const Credentials& credentials() const { return client_; }
  // Credentials of instances that the table knows.
  CredentialTable& table() { return table_; }

 private:
  boost::asio::io_context context_;
  boost::asio::thread_pool threads_{2};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(context_);
  CredentialTable table_;
  Bill bill_;
  Credentials client_;
  std::unique_ptr<LambdaServer> server_;
  std::thread thread_;
};

struct ScriptResult {
  int status = -1;
  std::string output;  // stdout and stderr
};

// Runs a shell command.
inline ScriptResult run_command(const std::string& command) {
  ScriptResult result;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return result;
  char buffer[4096];
  for (std::size_t size; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.output.append(buffer, size);
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

inline std::string test_folder_of_sources() {
  return std::string(FUNCPIPE_SOURCE_DIR) + "/tests/emulator/lambda";
}

// Runs a Python script against a server; `from client import *` has been done for it.
inline ScriptResult run_script(const std::filesystem::path& folder, int port, const Credentials& credentials,
                               const std::string& script) {
  const auto file = folder / "script.py";
  if (!write_file(file, "from client import *\nFOLDER = '" + folder.string() + "'\n" + script)) return {};
  return run_command(fmt::format(
      "env -u AWS_PROFILE PYTHONDONTWRITEBYTECODE=1 AWS_EC2_METADATA_DISABLED=true PYTHONPATH='{}' "
      "LAMBDA_URL=http://127.0.0.1:{} ACCESS_KEY='{}' SECRET_KEY='{}' /usr/bin/python3 '{}'",
      test_folder_of_sources(), port, credentials.access_key_id, credentials.secret_access_key, file.string()));
}

}  // namespace funcpipe

// In a test with a harness: the script must end without an exception.
#define EXPECT_SCRIPT(harness, folder, script)                                                      \
  do {                                                                                              \
    const auto script_result =                                                                      \
        ::funcpipe::run_script(folder, (harness).server().port(), (harness).credentials(), script); \
    EXPECT_EQ(script_result.status, 0) << script_result.output;                                     \
  } while (false)
