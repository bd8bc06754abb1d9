// HTTP/1.1 on loopback for the emulator's services: keep-alive, paced bodies, handlers that may wait for long.
//
// Everything runs on the one thread that runs the io_context; nothing here locks. Handlers are coroutines. One that
// may wait long does so beside client_gone():
//     using namespace boost::asio::experimental::awaitable_operators;
//     auto which = co_await (wait_for_work() || request.client_gone());   // index 1: nobody listens any more
// stop() cancels every handler: what it awaits ends with operation_aborted (a boost::system::system_error), which
// unwinds it; the same happens to a handler that reads a body from a connection that broke. Let those pass through.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "emulator/http/message.h"
#include "emulator/memory_budget.h"

namespace funcpipe {

// What a server serves.
struct HttpService {
  std::string name;  // for errors
  // An exception it lets through becomes a 500.
  std::function<asio::awaitable<HttpResponse>(HttpRequest&)> handler;
  std::shared_ptr<MemoryBudget> budget;  // for bodies; shared with the requests; nullptr: no limit
  // If set, asked before a connection's first request is served, with the port of 127.0.0.1 it comes from.
  std::function<bool(std::uint16_t peer_port)> admits;
};

class HttpServer {
 public:
  // Listens on 127.0.0.1:port, 0 for any free one. Errors: unavailable (the port is in use).
  static Result<std::unique_ptr<HttpServer>> listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                    int port, HttpService service);
  ~HttpServer();  // stop()

  int port() const;
  // Closes the listener and every connection, cancels every handler; they unwind as the io_context runs on.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connections, which may unwind after the server is gone
};

}  // namespace funcpipe
