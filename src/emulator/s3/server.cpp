#include "emulator/s3/server.h"

#include "emulator/http/server.h"
#include "emulator/s3/requests.h"

namespace funcpipe {
namespace {
constexpr Bytes kUnderWay = 512 * kMiB;  // for requests under way, in addition to the cache
}

struct S3Server::Parts {
  std::unique_ptr<HttpServer> http;
};

S3Server::S3Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

S3Server::~S3Server() {
  stop();
}

Result<std::unique_ptr<S3Server>> S3Server::start(asio::io_context& context, asio::thread_pool& file_threads,
                                                  const S3ServerOptions& options, CredentialTable& table, Bill& bill) {
  FUNCPIPE_TRY(folder, ObjectFolder::open(options.folder, options.cache_capacity));
  // Shared with the connections, which may end after the server is gone.
  const auto budget = std::make_shared<MemoryBudget>(options.cache_capacity + kUnderWay);
  auto requests = std::make_shared<S3Requests>(std::move(folder), file_threads, table, bill, options.region, budget);
  auto parts = std::make_unique<Parts>();
  FUNCPIPE_TRY(http,
               HttpServer::listen(context, file_threads, options.port,
                                  {.name = "S3",
                                   .handler = [requests](HttpRequest& request) { return requests->answer(request); },
                                   .budget = budget}));
  parts->http = std::move(http);
  return std::unique_ptr<S3Server>(new S3Server(std::move(parts)));
}

int S3Server::port() const {
  return parts_->http->port();
}
void S3Server::stop() {
  parts_->http->stop();
}

}  // namespace funcpipe
