// URIs as S3 and SigV4 write them (RFC 3986).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// Percent-encodes everything but A-Z a-z 0-9 - . _ ~ and, for a path, '/'.
std::string uri_encode(std::string_view text, bool keep_slash = false);
// Undoes it; '+' stays '+'. A broken escape stays as it is.
std::string uri_decode(std::string_view text);

// "a=1&b=x%20y"; a parameter without value is written "name=".
std::string encode_query(const std::vector<std::pair<std::string, std::string>>& parameters);

struct Url {
  std::string scheme;     // "http" or "https"
  std::string host;       // without port; an IPv6 address keeps its brackets
  int port = 0;           // the scheme's own if the text names none
  std::string authority;  // what the Host header says: the port only if it is not the scheme's own

  bool secure() const { return scheme == "https"; }
  bool loopback() const;  // 127.0.0.0/8, [::1], localhost
};

// A service's address, "http://127.0.0.1:9000". Errors: invalid_input for another scheme, a path, a bad port.
Result<Url> parse_url(std::string_view text);

}  // namespace funcpipe
