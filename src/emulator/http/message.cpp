#include "emulator/http/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/http/connection.h"

namespace funcpipe {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

bool HttpRequest::has_header(std::string_view lower_case_name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) { return field.first == lower_case_name; });
}

std::optional<std::string_view> HttpRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

asio::awaitable<std::size_t> HttpRequest::read_some(std::span<std::byte> into) {
  const auto got = co_await connection_.read_body_some(into.first(std::min(into.size(), uplink_.chunk())));
  if (uplink_.limited()) co_await uplink_.take(static_cast<Bytes>(got));
  co_return got;
}

asio::awaitable<Result<std::string>> HttpRequest::read_body(Bytes limit) {
  const auto too_long = [&] {
    return fail(ErrorCode::exhausted, fmt::format("the request's body is longer than the {} bytes allowed", limit));
  };
  if (content_length && *content_length > limit) co_return too_long();
  // The memory grows with the bytes that have come, not with the length that was announced.
  std::string body;
  std::vector<std::byte> chunk(64 * kKiB);
  for (;;) {
    const auto got = co_await read_some(chunk);
    if (got == 0) co_return body;
    if (static_cast<Bytes>(body.size() + got) > limit) co_return too_long();
    if (!hold(static_cast<Bytes>(got)))
      co_return fail(ErrorCode::unavailable, "too many requests with large bodies are under way");
    body.append(reinterpret_cast<const char*>(chunk.data()), got);
  }
}

asio::awaitable<void> HttpRequest::client_gone() {
  co_await connection_.wait_until_gone();
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return {};
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return {};
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

}  // namespace funcpipe
