// The Lambda Runtime API (version 2018-06-01) of one instance, on a loopback port of its own: what a function's
// `bootstrap` talks to. It only carries messages; what they mean for the instance is decided by its reader.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "emulator/http/server.h"

namespace funcpipe {

struct RuntimeEvent {
  std::string request_id, payload, function_arn, trace_id;
  long long deadline_unix_ms = 0;
};

struct RuntimeReady {};  // asked for the next event and there is none: it may be frozen
struct RuntimeAnswer {   // to the event delivered last
  std::string payload;
  bool failed = false;     // posted as an error
  bool too_large = false;  // refused; `payload` is empty
};
struct RuntimeInitFailed {
  std::string payload;
};
using RuntimeMessage = std::variant<RuntimeReady, RuntimeAnswer, RuntimeInitFailed>;

class RuntimeApi {
 public:
  using Reader = std::function<void(RuntimeMessage)>;
  // Whether the process at that port of 127.0.0.1 belongs to the instance: nobody else is answered.
  using Doorkeeper = std::function<bool(std::uint16_t peer_port)>;
  // Shared with the requests being served. Neither function is called after stop(). Errors: unavailable (no port left).
  static Result<std::shared_ptr<RuntimeApi>> listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                    Bytes response_limit, Reader reader, Doorkeeper doorkeeper);

  int port() const { return server_->port(); }
  // Answers the waiting, or the coming, request for the next event. Requires: the last one was answered or taken back.
  void deliver(RuntimeEvent event);
  void stop();

 private:
  RuntimeApi(asio::io_context& context, Bytes response_limit, Reader reader);
  asio::awaitable<HttpResponse> handle(HttpRequest& request);
  asio::awaitable<HttpResponse> next(HttpRequest& request);
  asio::awaitable<HttpResponse> answer(HttpRequest& request, const std::string& request_id, bool failed);

  Bytes response_limit_;
  Reader reader_;
  Doorkeeper doorkeeper_;
  bool initialising_ = true;  // until the first request for an event, or a report that there will be none
  std::optional<RuntimeEvent> event_;
  bool answered_ = false;
  int asked_ = 0;                  // counts requests for the next event: only the latest one is answered
  asio::steady_timer event_came_;  // never expires; cancelled to wake the request that waits
  std::unique_ptr<HttpServer> server_;
};

}  // namespace funcpipe
