// An HTTP/1.1 client over libcurl. It keeps connections alive in a pool, uploads a body from several pieces without
// joining them, and downloads into the caller's memory. A call makes one try: the caller knows what may be repeated,
// and retry.h repeats it.
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

// The limits of one request. Time during which this process did not run (it was stopped by a signal or frozen, or the
// laptop was asleep) counts towards neither `stall` nor `overall`, because the other side is not to blame for it.
struct HttpLimits {
  Seconds connect = 5;    // for name lookup, TCP and TLS together
  Seconds stall = 20;     // the longest time without a byte moving, including the wait for the answer; 0: no limit
  Seconds overall = 300;  // for the whole request; 0: no limit
};

struct HttpCall {
  std::string method;  // GET, PUT, POST, DELETE or HEAD; PUT and POST always have a body, which may be empty
  std::string url;     // as sent, that is, percent-encoded
  HttpHeaders headers;
  std::span<const ConstBytes> body;
  // Receives the body of a 200 or 206 answer with the length its header announces. Without a destination the body goes
  // to HttpAnswer::body. It is not called for an empty body.
  Destination destination;
  HttpLimits limits;
  // Opens a new connection for this request. libcurl silently repeats a request if a kept connection turns out to be
  // dead, which a request that must not be sent twice cannot allow.
  bool fresh_connection = false;
  std::stop_token stop;  // ends the request at once, whatever it is doing
};

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;    // names in lower case
  std::string body;       // the body, unless `destination` took it
  MutableBytes received;  // the memory that `destination` returned, as far as it was filled

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// Says why there was no answer.
struct HttpFailure {
  enum class Kind {
    refused,   // nobody answered at that address, or not within limits.connect
    cut,       // the connection ended before the answer did
    timeout,   // limits.stall or limits.overall passed
    stopped,   // HttpCall::stop was requested
    rejected,  // `destination` returned an error, which is in `error`
    not_http,  // something answered there, but not in HTTP
    local,     // a fault on this side, such as a bad certificate: repeating does not help
  };
  Kind kind;
  std::string message;
  bool sent = false;  // true if some of the request may have reached the server
  Error error = {};
  Seconds not_running = 0;  // how much of the time spent this process stood still
};

// Thread-safe. Each request takes a connection from the pool, which grows to as many as were in use at the same time.
class HttpClient {
 public:
  explicit HttpClient(bool loopback);  // if true, no proxy is used, whatever the environment says
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
  // The most recently used connection is at the back and is taken first, because it is the likeliest to be alive.
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace funcpipe
