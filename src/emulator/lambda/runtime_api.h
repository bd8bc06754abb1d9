// The Lambda Runtime API (version 2018-06-01) of one instance, which a function's `bootstrap` talks to. It has a
// loopback port of its own. It only carries messages; its reader decides what they mean for the instance. Source:
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

struct RuntimeReady {};  // the runtime asks for the next event and there is none, so the instance may be frozen
struct RuntimeAnswer {   // the answer to the event delivered last
  std::string payload;
  bool failed = false;     // the runtime reported an error
  bool too_large = false;  // the answer was refused and `payload` is empty
};
struct RuntimeInitFailed {
  std::string payload;
};
using RuntimeMessage = std::variant<RuntimeReady, RuntimeAnswer, RuntimeInitFailed>;

class RuntimeApi {
 public:
  using Reader = std::function<void(RuntimeMessage)>;
  // Says whether the process at that port of 127.0.0.1 belongs to the instance. Others are refused.
  using Doorkeeper = std::function<bool(std::uint16_t peer_port)>;
  // The API is shared with the requests being served. Neither function is called after stop(). Errors: unavailable if
  // no port is left.
  static Result<std::shared_ptr<RuntimeApi>> listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                    Bytes response_limit, Reader reader, Doorkeeper doorkeeper);

  int port() const { return server_->port(); }
  // Gives the event to the request that waits for one, or to the next such request. The event before must have been
  // answered or its instance ended.
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
  bool initialising_ = true;  // until the runtime first asks for an event or reports that it cannot start
  std::optional<RuntimeEvent> event_;
  bool answered_ = false;
  int asked_ = 0;                  // counts requests for the next event; only the latest is served
  asio::steady_timer event_came_;  // never expires; it is cancelled to wake the request that waits
  std::unique_ptr<HttpServer> server_;
};

}  // namespace funcpipe
