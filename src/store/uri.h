// URIs, percent-encoded as S3 and SigV4 want them (RFC 3986).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ and, with `keep_slash`, '/'.
std::string uri_encode(std::string_view text, bool keep_slash = false);
// Undoes uri_encode. A '+' stays '+', and an invalid escape is copied unchanged.
std::string uri_decode(std::string_view text);

// Returns "a=1&b=x%20y". A parameter without a value is written "name=".
std::string encode_query(const std::vector<std::pair<std::string, std::string>>& parameters);

struct Url {
  std::string scheme;     // "http" or "https"
  std::string host;       // without port; an IPv6 address keeps its brackets
  int port = 0;           // if the text names none, the default of the scheme
  std::string authority;  // the value of the Host header: with the port only if it is not the scheme's default

  bool secure() const { return scheme == "https"; }
  bool loopback() const;  // 127.0.0.0/8, [::1], localhost
};

// Parses a service's address such as "http://127.0.0.1:9000". Errors: invalid_input for another scheme, a path or a bad
// port.
Result<Url> parse_url(std::string_view text);

}  // namespace funcpipe
