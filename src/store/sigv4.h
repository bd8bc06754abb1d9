// AWS Signature Version 4, as pure functions. Clients sign with it, the emulator verifies with it. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "store/credentials.h"

namespace funcpipe {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// The part of a request that is signed. Every header given is signed; names may be in upper or lower case.
struct SignableRequest {
  std::string method;
  std::string path;                                          // as sent, percent-encoded: "/bucket/a%20key"
  std::string query;                                         // as sent, percent-encoded, in any order, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // must contain "host"
  std::string payload_hash;                                  // hex SHA-256 of the body, or kUnsignedPayload
};

struct SigningScope {
  std::string service;  // for "s3" the path is signed as sent; for any other service it is percent-encoded once more
  std::string region;
  std::string time;  // for example "20261123T170052Z"; equal to the x-amz-date header
};

// Formats seconds since 1970 (UTC) as "20261123T170052Z".
std::string amz_time(Seconds unix_seconds);

// Returns the signature alone, in hex.
std::string signature_v4(const SignableRequest& request, const SigningScope& scope, std::string_view secret_access_key);

// Returns the whole value of the Authorization header.
std::string authorization_v4(const SignableRequest& request, const SigningScope& scope, const Credentials& credentials);

// The parts of an Authorization header.
struct Authorization {
  std::string access_key_id;
  std::string date;  // "20261123"
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;  // lower case
  std::string signature;
};

// Errors: corrupt if the header is not a Version 4 signature.
Result<Authorization> parse_authorization(std::string_view header);

}  // namespace funcpipe
