// HTTP/1.1 over libcurl: kept-alive pooled connections, gathered uploads without joining, downloads into the caller's
// memory. One try a call: retries belong to the caller, who knows what may be repeated (retry.h).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "store/store.h"

namespace funcpipe {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Time during which this process did not run (stopped by a signal, frozen, a laptop asleep) counts towards neither
// `stall` nor `overall`: the other side is not to blame for it.
struct HttpLimits {
  Seconds connect = 5;    // name lookup, TCP and TLS
  Seconds stall = 20;     // the longest without a byte moving, the wait for the answer included; 0: none
  Seconds overall = 300;  // of the whole request; 0: none
};

struct HttpCall {
  std::string method;  // GET, PUT, POST, DELETE, HEAD; PUT and POST always have a body, perhaps of 0 bytes
  std::string url;     // as it goes over the wire: percent-encoded
  HttpHeaders headers;
  std::span<const ConstBytes> body;
  // Receives the body of a 200 or 206 with the length its header says; without it the body goes to HttpAnswer::body.
  // Not called for an empty body.
  Destination destination;
  HttpLimits limits;
  // Never on a kept connection: libcurl repeats a request by itself if a kept one turns out dead.
  bool fresh_connection = false;
  std::stop_token stop;  // ends the request at once, in whatever phase it is
};

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;    // names in lower case
  std::string body;       // unless `destination` took it
  MutableBytes received;  // what `destination` took

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// Why there was no answer.
struct HttpFailure {
  enum class Kind {
    refused,   // nobody answered at that address, or not within limits.connect
    cut,       // the connection ended before the answer did
    timeout,   // limits.stall or limits.overall
    stopped,   // HttpCall::stop
    rejected,  // `destination` said no: `error`
    not_http,  // somebody answered there, but not by HTTP
    local,     // a fault on this side, such as a bad certificate: repeating does not help
  };
  Kind kind;
  std::string message;
  bool sent = false;  // some of the request may have reached the server
  Error error = {};
  Seconds not_running = 0;  // of the time it took: how long this process stood still
};

// Thread-safe: each request takes a connection of the pool, which has as many as were ever in use at once.
class HttpClient {
 public:
  explicit HttpClient(bool loopback);  // loopback: no proxy, whatever the environment says
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  tl::expected<HttpAnswer, HttpFailure> perform(const HttpCall& request);

 private:
  class Connection;
  std::unique_ptr<Connection> take();
  void give_back(std::unique_ptr<Connection> connection);

  const bool loopback_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the last used first: the likeliest to be alive still
};

}  // namespace funcpipe
