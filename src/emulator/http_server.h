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
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "emulator/memory_budget.h"
#include "emulator/token_bucket.h"

namespace funcpipe {

namespace asio = boost::asio;

class HttpConnection;  // http_connection.h

using NamedValues = std::vector<std::pair<std::string, std::string>>;

class HttpRequest {
 public:
  // What is read of the body counts against the budget until the request is gone; nullptr: it counts against nothing.
  HttpRequest(HttpConnection& connection, std::shared_ptr<MemoryBudget> budget)
      : connection_(connection), hold_(std::move(budget)) {}

  std::string method;
  std::string raw_path;                 // as on the wire, without the query
  std::string path;                     // percent-decoded
  std::string raw_query;                // as on the wire, without the '?'
  NamedValues query;                    // decoded, in the order given; "?delete" has an empty value
  NamedValues headers;                  // names in lower case, in the order given
  std::optional<Bytes> content_length;  // of the body; nullopt: chunked, not known before it has been read

  std::string_view header(std::string_view lower_case_name) const;  // empty if it is not there
  bool has_header(std::string_view lower_case_name) const;
  std::optional<std::string_view> parameter(std::string_view name) const;  // of the query

  // The body can be read once. `uplink` paces all reads that follow.
  void pace(Route uplink) { uplink_ = Pacer(std::move(uplink)); }
  // Reads up to into.size() bytes; 0 at the end of the body.
  asio::awaitable<std::size_t> read_some(std::span<std::byte> into);
  // The whole body. Errors, with the rest left unread: exhausted if it is longer than `limit` (answer 413), unavailable
  // if the service holds too much for its clients already (answer 503).
  asio::awaitable<Result<std::string>> read_body(Bytes limit);
  // Counts memory the handler needs for the body; false if there is no room.
  bool hold(Bytes bytes) { return hold_.grow(bytes); }

  // Returns when the client has closed the connection; to be used once the body has been read.
  asio::awaitable<void> client_gone();

 private:
  HttpConnection& connection_;
  MemoryHold hold_;
  Pacer uplink_;
};

// Bytes of an object kept in memory.
struct MemoryRange {
  std::shared_ptr<const std::byte[]> bytes;  // shared with the cache it may be dropped from meanwhile
  std::size_t first = 0, size = 0;
};

// Bytes of an open file; read on the file threads.
struct FileRange {
  std::shared_ptr<const int> descriptor;  // its deleter closes; shared with other answers from the same file
  Bytes first = 0, size = 0;
};

struct HttpResponse {
  int status = 200;
  NamedValues headers;  // Content-Length, Date, Server and Connection are added
  // The answer to a HEAD request has the same body, of which only the length is sent.
  std::variant<std::string, MemoryRange, FileRange> body;
  Route downlink;                   // paces the body
  std::function<void(Bytes)> sent;  // if set, called with the number of body bytes that were sent
};

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

// "a%20b" -> "a b"; nullopt if a '%' is not followed by two hexadecimal digits. '+' stays.
std::optional<std::string> percent_decode(std::string_view text);
std::string_view reason_phrase(int status);

}  // namespace funcpipe
