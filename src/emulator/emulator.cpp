#include "emulator/emulator.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <future>
#include <system_error>
#include <thread>
#include <vector>

#include "base/owned_folder.h"
#include "base/process_limits.h"
#include "emulator/lambda/server.h"
#include "emulator/s3/server.h"

namespace funcpipe {
namespace asio = boost::asio;

namespace {

constexpr int kFileThreads = 2;
// How long cancelled requests may take to end; then they are destroyed.
constexpr std::chrono::milliseconds kUnwind(500);

// One thread runs everything but blocking work on files.
class LoopbackEmulator final : public Emulator {
 public:
  LoopbackEmulator() : file_threads_(kFileThreads), work_(asio::make_work_guard(context_)) {}

  ~LoopbackEmulator() override {
    if (thread_.joinable()) {
      asio::post(context_, [this] { stop(); });
      work_.reset();
      const auto deadline = std::chrono::steady_clock::now() + kUnwind;
      while (!context_.stopped() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      context_.stop();
      thread_.join();
    } else {
      stop();
    }
    file_threads_.join();
  }

  Result<> start(EmulatorOptions options) {
    FUNCPIPE_TRY_VOID(make_private_folders(options.folder));
    raise_open_file_limit();  // each worker keeps up to 20 connections
    credentials_ = CredentialTable::make(/*with_session_token=*/false);
    Account client;
    client.credentials = credentials_;
    table_.add(std::move(client));

    S3ServerOptions s3;
    s3.folder = options.folder / "objects";
    s3.port = options.s3_port;
    FUNCPIPE_TRY(s3_server, S3Server::start(context_, file_threads_, s3, table_, bill_));
    s3_ = std::move(s3_server);
    s3_url_ = fmt::format("http://127.0.0.1:{}", s3_->port());

    LambdaOptions lambda;
    lambda.platform = std::move(options.platform);
    lambda.dilation = options.dilation;
    lambda.folder = options.folder;
    lambda.port = options.lambda_port;
    lambda.s3_url = s3_url_;
    FUNCPIPE_TRY(lambda_server, LambdaServer::start(context_, file_threads_, std::move(lambda), table_, bill_));
    lambda_ = std::move(lambda_server);
    lambda_url_ = fmt::format("http://127.0.0.1:{}", lambda_->port());
    isolation_ = lambda_->isolation();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  Endpoint s3() const override { return Endpoint{s3_url_}; }
  Endpoint lambda() const override { return Endpoint{lambda_url_}; }
  Credentials credentials() const override { return credentials_; }
  std::string isolation() const override { return isolation_; }

  Bill bill() const override {
    std::promise<Bill> answer;
    asio::post(context_, [&] { answer.set_value(bill_); });
    return answer.get_future().get();
  }

  void end_instances() override {
    std::promise<void> done;
    asio::post(context_, [&] {
      lambda_->end_instances();
      done.set_value();
    });
    done.get_future().get();
  }

 private:
  void stop() {
    if (lambda_) lambda_->stop();
    if (s3_) s3_->stop();
  }

  // These are declared before the context, so they are destroyed after it: requests in the context use them.
  mutable asio::thread_pool file_threads_;
  CredentialTable table_;
  Bill bill_;
  mutable asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<S3Server> s3_;
  std::unique_ptr<LambdaServer> lambda_;
  Credentials credentials_;
  std::string s3_url_, lambda_url_, isolation_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Emulator>> Emulator::start(EmulatorOptions options) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<fs::path> made;  // folders this start has made, the deepest first
  for (fs::path folder = fs::absolute(options.folder, ignored);
       !fs::exists(folder, ignored) && folder.has_relative_path(); folder = folder.parent_path())
    made.push_back(folder);
  auto emulator = std::make_unique<LoopbackEmulator>();
  auto started = emulator->start(std::move(options));
  if (started) return emulator;
  emulator.reset();
  if (!made.empty()) fs::remove_all(made.front(), ignored);
  for (const fs::path& folder : made) fs::remove(folder, ignored);  // removes it only if it is empty
  return tl::unexpected(std::move(started).error());
}

}  // namespace funcpipe
