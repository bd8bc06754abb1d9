// What a handler of the HTTP server is given, and what it answers. Used on the io_context's thread only.
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
  // Bytes of the body that are kept count against `budget` until the request is destroyed; nullptr: there is no limit.
  HttpRequest(HttpConnection& connection, std::shared_ptr<MemoryBudget> budget)
      : connection_(connection), hold_(std::move(budget)) {}

  std::string method;
  std::string raw_path;                 // as sent, without the query
  std::string path;                     // percent-decoded
  std::string raw_query;                // as sent, without the '?'
  NamedValues query;                    // decoded, in the order given; "?delete" has an empty value
  NamedValues headers;                  // names in lower case, in the order given
  std::optional<Bytes> content_length;  // of the body; nullopt: chunked, so it is known only once the body was read

  std::string_view header(std::string_view lower_case_name) const;  // empty if there is none
  bool has_header(std::string_view lower_case_name) const;
  std::optional<std::string_view> parameter(std::string_view name) const;  // of the query

  // The body can be read once. After pace() all reads are held to the bandwidth of `uplink`.
  void pace(Route uplink) { uplink_ = Pacer(std::move(uplink)); }
  // Reads up to into.size() bytes of the body. Returns 0 at its end.
  asio::awaitable<std::size_t> read_some(std::span<std::byte> into);
  // Reads the whole body. Errors, which leave the rest unread: exhausted if it is longer than `limit` (answered with
  // 413), unavailable if the service already keeps too much for its clients (answered with 503).
  asio::awaitable<Result<std::string>> read_body(Bytes limit);
  // Reserves memory that the handler needs for the body. Returns false if there is no room.
  bool hold(Bytes bytes) { return hold_.grow(bytes); }

  // Returns when the client has closed the connection. Call it only after the body has been read.
  asio::awaitable<void> client_gone();

 private:
  HttpConnection& connection_;
  MemoryHold hold_;
  Pacer uplink_;
};

// Bytes of an object that is kept in memory.
struct MemoryRange {
  std::shared_ptr<const std::byte[]> bytes;  // shared with the cache, which may drop it meanwhile
  std::size_t first = 0, size = 0;
};

// Bytes of an open file, which the file threads read.
struct FileRange {
  std::shared_ptr<const int> descriptor;  // closed by its deleter; shared with other answers from the same file
  Bytes first = 0, size = 0;
};

struct HttpResponse {
  int status = 200;
  NamedValues headers;  // the server adds Content-Length, Date, Server and Connection
  // The answer to a HEAD request has the same body, but only its length is sent.
  std::variant<std::string, MemoryRange, FileRange> body;
  Route downlink;                   // limits the bandwidth of the body
  std::function<void(Bytes)> sent;  // called, if set, with the number of body bytes that were sent
};

// Turns "a%20b" into "a b". A '+' stays. Returns nullopt if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);
std::string_view reason_phrase(int status);

}  // namespace funcpipe
