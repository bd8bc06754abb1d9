// An HTTP/1.1 server on loopback for the emulator's services. It keeps connections, limits the bandwidth of bodies and
// has handlers that may wait for long.
//
// Everything runs on the one thread that runs the io_context, so nothing here locks. Handlers are coroutines. A handler
// that may wait for long also waits for client_gone():
//     using namespace boost::asio::experimental::awaitable_operators;
//     auto which = co_await (wait_for_work() || request.client_gone());   // index 1: nobody listens any more
// stop() cancels every handler: what it waits for throws operation_aborted (a boost::system::system_error). A handler
// that reads a body from a broken connection gets such an exception, too. Handlers must not catch it.
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
  std::string name;  // named in errors
  // If it throws another exception, the answer is 500.
  std::function<asio::awaitable<HttpResponse>(HttpRequest&)> handler;
  std::shared_ptr<MemoryBudget> budget;  // for bodies; shared with the requests; nullptr: no limit
  // If set, it is asked before the first request of a connection, with the port of 127.0.0.1 that the connection comes
  // from. If it returns false, the answer is 403.
  std::function<bool(std::uint16_t peer_port)> admits;
};

class HttpServer {
 public:
  // Listens on 127.0.0.1:port; 0: any free port. Errors: unavailable if the port is in use.
  static Result<std::unique_ptr<HttpServer>> listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                    int port, HttpService service);
  ~HttpServer();  // stop()

  int port() const;
  // Closes the listener and every connection and cancels every handler. They end as the io_context runs on.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connections, which may end after the server is gone
};

}  // namespace funcpipe
