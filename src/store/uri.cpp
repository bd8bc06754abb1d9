#include "store/uri.h"

#include <charconv>

namespace funcpipe {
namespace {

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c) || (keep_slash && c == '/')) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[static_cast<unsigned char>(c) >> 4];
      encoded += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return encoded;
}

std::string uri_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const char* end = text.data() + i + 3;
      if (std::from_chars(text.data() + i + 1, end, value, 16).ptr == end) {
        decoded += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

std::string encode_query(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (!query.empty()) query += '&';
    query += uri_encode(name) + "=" + uri_encode(value);
  }
  return query;
}

bool Url::loopback() const {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::invalid_input, fmt::format("not an endpoint: {}: {}", why, text), {},
                "An endpoint looks like https://s3.us-east-1.amazonaws.com or http://127.0.0.1:9000.");
  };
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refuse("no http:// or https://");
  Url url;
  url.scheme = text.substr(0, colon);
  if (url.scheme != "http" && url.scheme != "https") return refuse("neither http nor https");
  const int own_port = url.secure() ? 443 : 80;
  std::string_view authority = text.substr(colon + 3);
  if (authority.empty() || authority.find_first_of("/?#@ ") != std::string_view::npos) {
    return refuse("only a host and a port may follow the scheme");
  }
  url.port = own_port;
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = authority.substr(0, port);
  if (port != std::string_view::npos) {
    const std::string_view digits = authority.substr(port + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (digits.empty() || parsed.ptr != digits.data() + digits.size() || url.port < 1 || url.port > 65535) {
      return refuse("a port is a number from 1 to 65535");
    }
  }
  if (url.host.empty()) return refuse("no host");
  url.authority = url.port == own_port ? url.host : fmt::format("{}:{}", url.host, url.port);
  return url;
}

}  // namespace funcpipe
