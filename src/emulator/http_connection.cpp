#include "emulator/http_connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <cctype>
#include <chrono>
#include <ctime>

#include "emulator/file_work.h"

namespace funcpipe {
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr Seconds kIdleSeconds = 120;  // between requests
constexpr Seconds kStallSeconds = 60;  // without a byte of a body read or written
constexpr std::uint32_t kMostHeader = 64 * kKiB;
constexpr std::size_t kReadAtOnce = 1 << 20;
constexpr Bytes kDrain = 256 * kKiB;  // an unread body up to this is read off, so the connection can be kept
constexpr Bytes kLinger = 64 * kMiB;

struct Malformed {  // thrown by body reads, answered with 400
  std::string what;
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Header values go out on one line whatever they hold.
void append_value(std::string& head, std::string_view value) {
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

Bytes body_size(const HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return static_cast<Bytes>(text->size());
  if (const auto* memory = std::get_if<MemoryRange>(&response.body)) return static_cast<Bytes>(memory->size);
  return std::get<FileRange>(response.body).size;
}

Result<std::vector<std::byte>> read_range(int descriptor, Bytes first, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(first) + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::corrupt, "a file ended or failed while it was being sent");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

Seconds steady_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, asio::thread_pool& file_threads,
                               HttpServer::Handler handler)
    : socket_(std::move(socket)),
      file_threads_(file_threads),
      handler_(std::move(handler)),
      buffer_(4 * std::size_t{kMostHeader}) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void HttpConnection::allow(Seconds seconds) {
  deadline_ = steady_now() + seconds;
}

void HttpConnection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> HttpConnection::run() {
  try {
    while (co_await serve_one()) {
    }
  } catch (const boost::system::system_error&) {
    // The connection broke or the server stops: nobody is left to answer.
  }
  close();
}

bool HttpConnection::body_left() const {
  return chunked_ ? !parser_->is_done() : left_ > 0;
}

asio::awaitable<bool> HttpConnection::serve_one() {
  parser_.emplace();
  parser_->header_limit(kMostHeader);
  parser_->body_limit(boost::none);
  chunked_ = false;
  left_ = 0;
  allow(kIdleSeconds);
  const auto [error, read] = co_await http::async_read_header(socket_, buffer_, *parser_, kTuple);
  (void)read;
  if (error) {
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      co_await answer_malformed(error == http::error::header_limit ? 431 : 400, error.message());
    } else if (error == http::error::buffer_overflow) {
      co_await answer_malformed(431, error.message());
    }
    co_return false;
  }

  HttpRequest request;
  if (auto wrong = take_request(request)) {
    co_await answer_malformed(400, std::move(*wrong));
    co_return false;
  }
  const bool client_keeps = parser_->keep_alive();
  const bool head_only = request.method == "HEAD";
  allow_forever();
  std::optional<HttpResponse> response;
  bool keep = client_keeps;
  try {
    response = co_await handler_(request);
  } catch (const Malformed& malformed) {
    response.emplace();
    response->status = 400;
    response->body = malformed.what;
    keep = false;
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& exception) {
    response.emplace();
    response->status = 500;
    response->body = fmt::format("internal error: {}", exception.what());
  }
  const bool body_unread = body_left();
  if (body_unread && (continue_expected_ || chunked_ || left_ > kDrain)) keep = false;
  co_await write(std::move(*response), head_only, keep);
  if (keep && body_unread) keep = co_await discard_body(kDrain);
  if (!keep) co_await linger();
  co_return keep;
}

std::optional<std::string> HttpConnection::take_request(HttpRequest& request) {
  const auto& message = parser_->get();
  request.connection_ = this;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  if (target.starts_with("http://")) {  // absolute form, as to a proxy
    const auto slash = target.find('/', 7);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (!target.starts_with('/')) return "the request's target must start with '/'";
  const auto mark = target.find('?');
  request.raw_path = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) request.raw_query = std::string(target.substr(mark + 1));
  auto path = percent_decode(request.raw_path);
  if (!path) return "a '%' in the path is not followed by two hexadecimal digits";
  request.path = std::move(*path);

  std::string_view rest = request.raw_query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    std::string pair(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(std::string_view(pair).substr(0, equals));
    auto value = percent_decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return "a '%' in the query is not followed by two hexadecimal digits";
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  for (const auto& field : message) {
    request.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                                 std::string(field.value().data(), field.value().size()));
  }

  chunked_ = message.chunked();
  if (chunked_) {
    request.content_length.reset();
  } else {
    const auto length = parser_->content_length();
    if (length && *length > static_cast<std::uint64_t>(std::numeric_limits<Bytes>::max()))
      return "the body is too long";
    left_ = length ? static_cast<Bytes>(*length) : 0;
    request.content_length = left_;
  }
  continue_expected_ = lower(request.header("expect")) == "100-continue" && body_left();
  return {};
}

asio::awaitable<std::size_t> HttpConnection::read_body_some(std::span<std::byte> into) {
  if (!body_left() || into.empty()) co_return 0;
  allow(kStallSeconds);
  if (continue_expected_) {
    continue_expected_ = false;
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(socket_, asio::buffer(kContinue), asio::use_awaitable);
  }
  std::size_t got = 0;
  if (chunked_) {
    while (got == 0 && !parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = into.data();
      body.size = into.size();
      body.more = true;
      const auto [error, ignored] = co_await http::async_read_some(socket_, buffer_, *parser_, kTuple);
      (void)ignored;
      got = into.size() - body.size;
      if (error && error != http::error::need_buffer) {
        const bool broken = error.category() != make_error_code(http::error::bad_chunk).category();
        if (broken || error == http::error::partial_message || error == http::error::end_of_stream)
          throw boost::system::system_error(asio::error::connection_reset);
        throw Malformed{error.message()};
      }
    }
  } else {
    const auto most = static_cast<std::size_t>(std::min<Bytes>(left_, static_cast<Bytes>(into.size())));
    if (buffer_.size() > 0) {
      got = asio::buffer_copy(asio::buffer(into.data(), most), buffer_.data());
      buffer_.consume(got);
    } else {
      got = co_await socket_.async_read_some(asio::buffer(into.data(), most), asio::use_awaitable);
    }
    left_ -= static_cast<Bytes>(got);
  }
  allow_forever();
  co_return got;
}

asio::awaitable<void> HttpConnection::wait_until_gone() {
  // poll() rather than a read: what the client sends ahead stays for the next request.
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::use_awaitable);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    pollfd watched{socket_.native_handle(), POLLRDHUP, 0};
    if (::poll(&watched, 1, 0) != 0) co_return;
    timer.expires_after(std::chrono::milliseconds(100));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> HttpConnection::answer_malformed(int status, std::string what) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(what) + "\n";
  response.headers.emplace_back("Content-Type", "text/plain");
  co_await write(std::move(response), false, false);
  co_await linger();
}

asio::awaitable<void> HttpConnection::write(HttpResponse response, bool head_only, bool keep_alive) {
  const Bytes size = body_size(response);
  const bool bodiless = response.status == 204 || response.status == 304;
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nServer: funcpipe\r\n", response.status,
                                 reason_phrase(response.status), http_date());
  if (!bodiless) head += fmt::format("Content-Length: {}\r\n", size);
  if (!keep_alive) head += "Connection: close\r\n";
  for (const auto& [name, value] : response.headers) {
    head += name;
    head += ": ";
    append_value(head, value);
    head += "\r\n";
  }
  head += "\r\n";

  struct Report {  // also when the client goes away half-way
    HttpResponse& response;
    Bytes sent = 0;
    ~Report() {
      if (response.sent) response.sent(sent);
    }
  } report{response};
  allow(kStallSeconds);
  if (head_only || bodiless || size == 0) {
    co_await asio::async_write(socket_, asio::buffer(head), asio::use_awaitable);
  } else if (const auto* text = std::get_if<std::string>(&response.body); text && !response.downlink.limited()) {
    const std::array<asio::const_buffer, 2> both{asio::buffer(head), asio::buffer(*text)};
    co_await asio::async_write(socket_, both, asio::use_awaitable);
    report.sent = size;
  } else {
    co_await asio::async_write(socket_, asio::buffer(head), asio::use_awaitable);
    co_await write_body(response, report.sent);
  }
  allow_forever();
}

asio::awaitable<void> HttpConnection::write_body(HttpResponse& response, Bytes& sent) {
  Pacer pacer(response.downlink);
  const Bytes size = body_size(response);
  const auto* file = std::get_if<FileRange>(&response.body);
  const std::byte* memory = nullptr;
  if (const auto* text = std::get_if<std::string>(&response.body)) {
    memory = reinterpret_cast<const std::byte*>(text->data());
  } else if (!file) {
    const auto& range = std::get<MemoryRange>(response.body);
    memory = range.bytes.get() + range.first;
  }
  std::vector<std::byte> from_file;
  Bytes from_file_first = 0;
  while (sent < size) {
    const auto most = pacer.limited() ? static_cast<Bytes>(pacer.chunk()) : static_cast<Bytes>(kReadAtOnce);
    Bytes now = std::min(size - sent, most);
    const std::byte* bytes = memory + sent;
    if (file) {
      if (sent >= from_file_first + static_cast<Bytes>(from_file.size())) {
        const auto wanted = static_cast<std::size_t>(std::min(size - sent, static_cast<Bytes>(kReadAtOnce)));
        auto read = co_await run_on(file_threads_, [descriptor = *file->descriptor, first = file->first + sent,
                                                    wanted] { return read_range(descriptor, first, wanted); });
        // The head with the full length is out: only breaking the connection tells the client.
        if (!read) throw boost::system::system_error(asio::error::connection_aborted);
        from_file = std::move(*read);
        from_file_first = sent;
      }
      const Bytes at = sent - from_file_first;
      now = std::min(now, static_cast<Bytes>(from_file.size()) - at);
      bytes = from_file.data() + at;
    }
    allow_forever();
    co_await pacer.take(now);
    allow(kStallSeconds);
    co_await asio::async_write(socket_, asio::buffer(bytes, static_cast<std::size_t>(now)), asio::use_awaitable);
    sent += now;
  }
}

asio::awaitable<bool> HttpConnection::discard_body(Bytes most) {
  std::vector<std::byte> scratch(64 * kKiB);
  while (body_left() && most > 0) {
    const auto got = co_await read_body_some(scratch);
    most -= static_cast<Bytes>(got);
  }
  co_return !body_left();
}

asio::awaitable<void> HttpConnection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  std::vector<std::byte> scratch(64 * kKiB);
  allow(2);
  for (Bytes read = 0; read < kLinger;) {
    const auto [error, got] = co_await socket_.async_read_some(asio::buffer(scratch), kTuple);
    if (error) break;
    read += static_cast<Bytes>(got);
  }
}

}  // namespace funcpipe
