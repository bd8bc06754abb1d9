#include "emulator/lambda/server.h"

#include "base/owned_folder.h"
#include "emulator/http/server.h"
#include "emulator/isolation/instance_guardian.h"
#include "emulator/isolation/isolation.h"
#include "emulator/lambda/api.h"
#include "emulator/lambda/function_table.h"
#include "emulator/lambda/scheduler.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {
constexpr Bytes kBodies = 512 * kMiB;  // for the bodies of all requests under way: seven of the largest packages
}

struct LambdaServer::State {
  // Shared members are needed by requests and instances that end after the server.
  std::shared_ptr<const LambdaOptions> options;
  std::unique_ptr<InstanceGuardian> guardian;
  std::shared_ptr<Isolation> isolation;
  std::shared_ptr<LambdaScheduler> scheduler;
  std::unique_ptr<HttpServer> http;
  bool stopped = false;
};

Result<std::unique_ptr<LambdaServer>> LambdaServer::start(asio::io_context& context, asio::thread_pool& file_threads,
                                                          LambdaOptions options, CredentialTable& table, Bill& bill) {
  FUNCPIPE_TRY(kind, isolation_kind_from_environment());
  auto state = std::make_unique<State>();
  options.folder = fs::absolute(options.folder);
  FUNCPIPE_TRY_VOID(make_private_folders(options.folder / "instances"));
  remove_owned_folders(options.folder / "instances");  // scratch folders of an emulator that was killed
  FUNCPIPE_TRY(functions, FunctionTable::open(options.folder / "functions"));
  FUNCPIPE_TRY(guardian, InstanceGuardian::start());
  FUNCPIPE_TRY(isolation, make_isolation(context.get_executor(), kind));
  const int port = options.port;
  state->options = std::make_shared<const LambdaOptions>(std::move(options));
  state->guardian = std::move(guardian);
  state->isolation = std::move(isolation);
  const InstanceHost host{.context = context,
                          .file_threads = file_threads,
                          .options = state->options,
                          .isolation = state->isolation,
                          .table = table,
                          .guardian = *state->guardian,
                          .store = store_links(state->options->platform, state->options->dilation)};
  const auto shared_functions = std::make_shared<FunctionTable>(std::move(functions));
  state->scheduler = std::make_shared<LambdaScheduler>(host, shared_functions, bill);
  const auto api = std::make_shared<LambdaApi>(state->options, table, shared_functions, state->scheduler, file_threads);
  FUNCPIPE_TRY(http, HttpServer::listen(context, file_threads, port,
                                        {.name = "Lambda",
                                         .handler = [api](HttpRequest& request) { return api->handle(request); },
                                         .budget = std::make_shared<MemoryBudget>(kBodies)}));
  state->http = std::move(http);
  state->scheduler->start();
  return std::unique_ptr<LambdaServer>(new LambdaServer(std::move(state)));
}

LambdaServer::LambdaServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

LambdaServer::~LambdaServer() {
  stop();
  // An instance whose coroutines have not ended has not removed its folder yet.
  remove_owned_folders(state_->options->folder / "instances");
}

int LambdaServer::port() const {
  return state_->http->port();
}

std::string LambdaServer::isolation() const {
  return state_->isolation->describe();
}

void LambdaServer::end_instances() {
  state_->scheduler->end_instances();
}

void LambdaServer::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  state_->http->stop();
  state_->scheduler->stop();
}

}  // namespace funcpipe
