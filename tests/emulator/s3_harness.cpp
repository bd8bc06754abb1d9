#include "emulator/s3_harness.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdlib>
#include <future>
#include <thread>

#include "emulator/s3/server.h"

namespace funcpipe {
namespace asio = boost::asio;

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "s3_test_XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

struct S3Harness::Running {
  asio::thread_pool file_threads{2};
  CredentialTable table;
  Bill bill;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::unique_ptr<S3Server> server;
  std::thread thread;

  // Runs `work` on the server's thread and waits for it.
  template <class Work>
  auto on_thread(Work job) {
    std::packaged_task<decltype(job())()> task(std::move(job));
    auto done = task.get_future();
    asio::post(context, [&] { task(); });
    return done.get();
  }
};

S3Harness::S3Harness(std::filesystem::path folder, Bytes cache_capacity) : running_(std::make_unique<Running>()) {
  client_ = CredentialTable::make(false);
  running_->table.add(Account{.credentials = client_});
  S3ServerOptions options;
  options.folder = std::move(folder);
  options.cache_capacity = cache_capacity;
  auto server = S3Server::start(running_->context, running_->file_threads, options, running_->table, running_->bill);
  if (!server) {
    ADD_FAILURE() << describe(server.error());
    std::abort();
  }
  running_->server = std::move(*server);
  port_ = running_->server->port();
  running_->thread = std::thread([this] { running_->context.run(); });
}

S3Harness::~S3Harness() {
  running_->on_thread([this] { running_->server->stop(); });
  running_->work.reset();
  running_->thread.join();  // would hang, and time out, if a request did not unwind
  running_->file_threads.join();
}

Credentials S3Harness::add_instance(const std::string& label, BytesPerSecond rate, Latency latency, Burst burst,
                                    const StoreLinks& store) {
  Account account;
  account.credentials = CredentialTable::make(true);
  account.label = label;
  account.uplink = {std::make_shared<TokenBucket>(rate, burst), store.uplink};
  account.downlink = {std::make_shared<TokenBucket>(rate, burst), store.downlink};
  account.latency = latency;
  running_->on_thread([&] { running_->table.add(account); });
  return account.credentials;
}

Credentials S3Harness::add_scoped_instance(const StoreScope& scope) {
  Account account{.credentials = CredentialTable::make(true), .label = "scoped", .instance = true, .scope = scope};
  running_->on_thread([&] { running_->table.add(account); });
  return account.credentials;
}

void S3Harness::remove_instance(const Credentials& credentials) {
  running_->on_thread([&] { running_->table.remove(credentials.access_key_id); });
}

Bill S3Harness::bill() {
  return running_->on_thread([this] { return running_->bill; });
}

std::unique_ptr<S3Store> S3Harness::store_of(const Credentials& credentials, const std::string& bucket) {
  S3Options options;
  options.endpoint = endpoint();
  options.bucket = bucket;
  options.credentials = credentials;
  return S3Store::open(std::move(options)).value();
}

std::unique_ptr<S3Store> S3Harness::store(const std::string& bucket) {
  auto store = store_of(client_, bucket);
  const auto created = store->create_bucket();
  EXPECT_TRUE(created) << describe(created.error());
  return store;
}

int S3Harness::run_python(const std::string& script, const std::filesystem::path& scratch) {
  const auto command = fmt::format(
      "cd {} && env AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY='{}' AWS_DEFAULT_REGION=us-east-1 "
      "AWS_CONFIG_FILE=/dev/null "
      "AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true ENDPOINT={} timeout 100 /usr/bin/python3 "
      "{}/tests/emulator/s3/{} 2>&1",
      scratch.string(), client_.access_key_id, client_.secret_access_key, url(), FUNCPIPE_SOURCE_DIR, script);
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace funcpipe
