// What a handler of the HTTP server is given and what it answers. On the io_context's thread, as the server.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
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

class HttpConnection;  // http/connection.h

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

// "a%20b" -> "a b"; nullopt if a '%' is not followed by two hexadecimal digits. '+' stays.
std::optional<std::string> percent_decode(std::string_view text);
std::string_view reason_phrase(int status);

}  // namespace funcpipe
