// AWS Signature Version 4, as a pure function: clients sign with it, the emulator verifies with it.
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

// What is signed of a request. Every header given is signed; names in any case.
struct SignableRequest {
  std::string method;
  std::string path;   // as it goes over the wire, percent-encoded: "/bucket/a%20key"
  std::string query;  // as it goes over the wire, percent-encoded, in any order, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // with "host"
  std::string payload_hash;                                  // hex SHA-256 of the body, or kUnsignedPayload
};

struct SigningScope {
  std::string service;  // "s3": the path is signed as sent; any other: encoded once more, as AWS asks
  std::string region;
  std::string time;  // "20261123T170052Z", the same as the x-amz-date header
};

// "20261123T170052Z" for seconds since 1970.
std::string amz_time(Seconds unix_seconds);

// The hex signature alone.
std::string signature_v4(const SignableRequest& request, const SigningScope& scope, std::string_view secret_access_key);

// The whole value of the Authorization header.
std::string authorization_v4(const SignableRequest& request, const SigningScope& scope, const Credentials& credentials);

// An Authorization header, taken apart.
struct Authorization {
  std::string access_key_id;
  std::string date;  // "20261123"
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;  // lower case
  std::string signature;
};

// Errors: corrupt.
Result<Authorization> parse_authorization(std::string_view header);

}  // namespace funcpipe
