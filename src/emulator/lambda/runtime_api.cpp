#include "emulator/lambda/runtime_api.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

constexpr std::string_view kInvocation = "/2018-06-01/runtime/invocation/";
constexpr std::string_view kInitError = "/2018-06-01/runtime/init/error";
constexpr Bytes kBodiesAtOnce = 4;  // a runtime answers one event at a time, so this is ample

HttpResponse reply(int status, const nlohmann::json& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
}

HttpResponse refuse(int status, const std::string& type, const std::string& message) {
  return reply(status, {{"errorType", type}, {"errorMessage", message}});
}

HttpResponse accepted() {
  return reply(202, {{"status", "OK"}});
}

}  // namespace

Result<std::shared_ptr<RuntimeApi>> RuntimeApi::listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                       Bytes response_limit, Reader reader, Doorkeeper doorkeeper) {
  std::shared_ptr<RuntimeApi> api(new RuntimeApi(context, response_limit, std::move(reader)));
  const auto serve = [weak = std::weak_ptr(api)](HttpRequest& request) -> asio::awaitable<HttpResponse> {
    const auto locked = weak.lock();  // keeps the object while the request is served, which may end after the instance
    if (!locked) co_return refuse(503, "Gone", "the instance has ended");
    co_return co_await locked->handle(request);
  };
  api->doorkeeper_ = std::move(doorkeeper);
  const auto admits = [weak = std::weak_ptr(api)](std::uint16_t peer_port) {
    const auto locked = weak.lock();
    return locked && locked->doorkeeper_(peer_port);
  };
  FUNCPIPE_TRY(server, HttpServer::listen(context, file_threads, 0,
                                          {.name = "the Runtime API",
                                           .handler = serve,
                                           .budget = std::make_shared<MemoryBudget>(kBodiesAtOnce * response_limit),
                                           .admits = admits}));
  api->server_ = std::move(server);
  return api;
}

RuntimeApi::RuntimeApi(asio::io_context& context, Bytes response_limit, Reader reader)
    : response_limit_(response_limit),
      reader_(std::move(reader)),
      event_came_(context, asio::steady_timer::time_point::max()) {}

void RuntimeApi::stop() {
  reader_ = [](const RuntimeMessage&) {};
  doorkeeper_ = [](std::uint16_t) { return false; };
  server_->stop();
}

void RuntimeApi::deliver(RuntimeEvent event) {
  event_ = std::move(event);
  answered_ = false;
  event_came_.cancel();
}

asio::awaitable<HttpResponse> RuntimeApi::handle(HttpRequest& request) {
  if (request.path == kInitError && request.method == "POST") {
    const auto body = co_await request.read_body(response_limit_);
    if (!initialising_) co_return refuse(403, "InvalidStateTransition", "the initialisation is over");
    initialising_ = false;
    reader_(RuntimeInitFailed{body.value_or("")});
    co_return accepted();
  }
  if (request.path.starts_with(kInvocation)) {
    const std::string rest = request.path.substr(kInvocation.size());
    if (rest == "next" && request.method == "GET") co_return co_await next(request);
    const auto slash = rest.find('/');
    const std::string id = rest.substr(0, slash);
    const std::string verb = slash == std::string::npos ? "" : rest.substr(slash + 1);
    if (request.method == "POST" && verb == "response") co_return co_await answer(request, id, false);
    if (request.method == "POST" && verb == "error") co_return co_await answer(request, id, true);
  }
  co_return refuse(404, "NotFound", fmt::format("no such operation: {} {}", request.method, request.path));
}

asio::awaitable<HttpResponse> RuntimeApi::next(HttpRequest& request) {
  using namespace asio::experimental::awaitable_operators;
  if (event_ && answered_) event_.reset();
  const int turn = ++asked_;
  initialising_ = false;
  if (!event_) {
    event_came_.cancel();  // wakes an earlier request whose client has given up
    reader_(RuntimeReady{});
    while (!event_ && turn == asked_) {
      boost::system::error_code cancelled;
      auto wait = event_came_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
      const auto which = co_await (std::move(wait) || request.client_gone());
      if (which.index() == 1) co_return refuse(400, "ClientGone", "the connection was closed");
    }
    if (turn != asked_) co_return refuse(409, "Superseded", "a later request for the next event took over");
  }
  co_return HttpResponse{.status = 200,
                         .headers = {{"Content-Type", "application/json"},
                                     {"Lambda-Runtime-Aws-Request-Id", event_->request_id},
                                     {"Lambda-Runtime-Deadline-Ms", std::to_string(event_->deadline_unix_ms)},
                                     {"Lambda-Runtime-Invoked-Function-Arn", event_->function_arn},
                                     {"Lambda-Runtime-Trace-Id", event_->trace_id}},
                         .body = event_->payload};
}

asio::awaitable<HttpResponse> RuntimeApi::answer(HttpRequest& request, const std::string& request_id, bool failed) {
  auto body = co_await request.read_body(response_limit_);
  if (!body && body.error().code == ErrorCode::unavailable)
    co_return refuse(429, "TooManyRequests", body.error().message);
  if (!event_ || answered_ || event_->request_id != request_id)
    co_return refuse(400, "InvalidRequestID", fmt::format("no event is being processed under id {}", request_id));
  answered_ = true;
  if (!body) {
    reader_(RuntimeAnswer{.too_large = true});
    co_return refuse(413, "RequestEntityTooLarge", fmt::format("an answer holds at most {} bytes", response_limit_));
  }
  reader_(RuntimeAnswer{.payload = std::move(*body), .failed = failed});
  co_return accepted();
}

}  // namespace funcpipe
