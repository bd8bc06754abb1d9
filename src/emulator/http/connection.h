// One client's connection: it reads requests, calls the handler and writes answers. Used within this folder only.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <limits>
#include <memory>
#include <optional>

#include "emulator/http/head.h"
#include "emulator/http/server.h"

namespace funcpipe {

class HttpConnection {
 public:
  // `service` must outlive the connection.
  HttpConnection(asio::ip::tcp::socket socket, asio::thread_pool& file_threads, const HttpService& service);

  // Serves requests until either side closes. Throws only what cancellation throws.
  asio::awaitable<void> run();

  asio::cancellation_signal& cancellation() { return cancellation_; }
  void close();
  // The time by which the other side must have sent or taken its next bytes, in seconds of steady_clock; infinity while
  // a handler works.
  Seconds deadline() const { return deadline_; }
  // Since when the connection has waited for the first byte of a request; nullopt while it has a request.
  std::optional<Seconds> idle_since() const { return idle_since_; }

  asio::awaitable<std::size_t> read_body_some(std::span<std::byte> into);
  asio::awaitable<void> wait_until_gone();

 private:
  asio::awaitable<bool> serve_one();  // false: the connection is finished
  asio::awaitable<std::optional<HeadFault>> read_head();
  bool admitted();
  asio::awaitable<void> send_continue();
  asio::awaitable<void> answer_malformed(HeadFault fault);
  asio::awaitable<void> write(HttpResponse response, bool head_only, bool keep_alive);
  asio::awaitable<void> write_body(HttpResponse& response, Bytes& sent);
  asio::awaitable<bool> discard_body(Bytes most);  // true: the whole rest was read
  asio::awaitable<void> linger();  // gives the client time to read the answer before the connection is reset
  bool body_left() const;
  void allow(Seconds seconds);
  void allow_forever() { deadline_ = std::numeric_limits<Seconds>::infinity(); }

  asio::ip::tcp::socket socket_;
  asio::thread_pool& file_threads_;
  const HttpService& service_;
  asio::cancellation_signal cancellation_;
  boost::beast::flat_buffer buffer_;
  std::optional<HttpParser> parser_;  // of the request being served
  bool admitted_ = false;
  bool chunked_ = false;
  Bytes left_ = 0;  // bytes still to come, if the body has a length
  bool continue_expected_ = false;
  Bytes body_read_ = 0;      // bytes of the current request's body
  Seconds body_waited_ = 0;  // seconds spent waiting for the client to send the current body
  Seconds deadline_ = std::numeric_limits<Seconds>::infinity();
  std::optional<Seconds> idle_since_;
};

// The present time of steady_clock in seconds; deadlines are compared with it.
Seconds steady_now();

}  // namespace funcpipe
