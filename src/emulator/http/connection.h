// One client's connection: reads requests, calls the handler, writes answers. Of this folder alone.
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
  // `service` outlives the connection.
  HttpConnection(asio::ip::tcp::socket socket, asio::thread_pool& file_threads, const HttpService& service);

  // Serves requests until either side closes. Nothing is thrown but what cancellation throws.
  asio::awaitable<void> run();

  asio::cancellation_signal& cancellation() { return cancellation_; }
  void close();
  // When the other side has had its time for what it is to send or take; infinity while a handler works.
  Seconds deadline() const { return deadline_; }
  // Since when it waits for a request of which nothing has come; nullopt: it has one.
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
  asio::awaitable<bool> discard_body(Bytes most);  // true: all of it
  asio::awaitable<void> linger();                  // lets the client read the answer before the connection resets
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
  Bytes left_ = 0;  // of a body with a length
  bool continue_expected_ = false;
  Bytes body_read_ = 0;      // of the request being served
  Seconds body_waited_ = 0;  // for the client to send it
  Seconds deadline_ = std::numeric_limits<Seconds>::infinity();
  std::optional<Seconds> idle_since_;
};

// Of steady_clock; deadlines are compared with it.
Seconds steady_now();

}  // namespace funcpipe
