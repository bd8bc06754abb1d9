#include "emulator/request_signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>

#include "store/sigv4.h"

namespace funcpipe {
namespace {

constexpr Seconds kMostSkew = 15 * 60;
constexpr int kMostExpiry = 7 * 24 * 3600;
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// "20261123T170052Z" in seconds since 1970.
std::optional<Seconds> parse_amz_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return {};
  std::tm utc{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y%m%dT%H%M%SZ", &utc);
  if (!end || *end != '\0') return {};
  return static_cast<Seconds>(::timegm(&utc));
}

struct Claim {  // what the request says of its signature
  Authorization authorization;
  std::string time;
  std::string session_token;
  std::string query;  // what of it is signed
  std::string payload_hash;
  std::optional<int> expires;  // seconds; presigned
};

std::string value_or_empty(const HttpRequest& request, std::string_view name) {
  return std::string(request.parameter(name).value_or(""));
}

tl::expected<Claim, Refusal> presigned_claim(const HttpRequest& request) {
  Claim claim;
  if (value_or_empty(request, "X-Amz-Algorithm") != kAlgorithm)
    return refuse(400, "AuthorizationQueryParametersError", "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  auto parsed = parse_authorization(fmt::format(
      "{} Credential={},SignedHeaders={},Signature={}", kAlgorithm, value_or_empty(request, "X-Amz-Credential"),
      value_or_empty(request, "X-Amz-SignedHeaders"), value_or_empty(request, "X-Amz-Signature")));
  if (!parsed) return refuse(400, "AuthorizationQueryParametersError", parsed.error().message);
  claim.authorization = std::move(*parsed);
  claim.time = value_or_empty(request, "X-Amz-Date");
  claim.session_token = value_or_empty(request, "X-Amz-Security-Token");
  claim.payload_hash = kUnsignedPayload;
  const std::string expires = value_or_empty(request, "X-Amz-Expires");
  int seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (error != std::errc() || end != expires.data() + expires.size() || seconds < 0 || seconds > kMostExpiry)
    return refuse(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be a number from 0 to 604800");
  claim.expires = seconds;
  std::string_view rest = request.raw_query;
  while (!rest.empty()) {
    const auto end_of_part = std::min(rest.find('&'), rest.size());
    const auto part = rest.substr(0, end_of_part);
    rest.remove_prefix(std::min(end_of_part + 1, rest.size()));
    if (part.starts_with("X-Amz-Signature=")) continue;
    if (!claim.query.empty()) claim.query += '&';
    claim.query += part;
  }
  return claim;
}

tl::expected<Claim, Refusal> header_claim(const HttpRequest& request, std::string_view payload_hash) {
  Claim claim;
  const auto header = request.header("authorization");
  if (header.empty()) return refuse(403, "AccessDenied", "Anonymous requests are not served here.");
  if (!header.starts_with(kAlgorithm))
    return refuse(400, "InvalidRequest",
                  "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
  auto parsed = parse_authorization(header);
  if (!parsed) return refuse(400, "AuthorizationHeaderMalformed", parsed.error().message);
  claim.authorization = std::move(*parsed);
  claim.time = request.header("x-amz-date");
  claim.session_token = request.header("x-amz-security-token");
  claim.query = request.raw_query;
  claim.payload_hash = payload_hash;
  return claim;
}

tl::expected<void, Refusal> check_time(const Claim& claim, Seconds unix_now) {
  const auto signed_at = parse_amz_time(claim.time);
  if (!signed_at || claim.time.substr(0, 8) != claim.authorization.date)
    return refuse(403, "AccessDenied",
                  "AWS authentication requires a valid x-amz-date of the same day as the credential's scope.");
  const Seconds age = unix_now - *signed_at;
  if (claim.expires) {
    if (age > *claim.expires) return refuse(403, "AccessDenied", "Request has expired");
    if (age < -kMostSkew) return refuse(403, "AccessDenied", "Request is not yet valid");
  } else if (std::abs(age) > kMostSkew) {
    return refuse(403, "RequestTimeTooSkewed",
                  "The difference between the request time and the current time is too large.");
  }
  return {};
}

}  // namespace

tl::expected<SharedAccount, Refusal> authenticate(const HttpRequest& request, std::string_view service,
                                                  std::string_view payload_hash, const CredentialTable& table,
                                                  Seconds unix_now) {
  auto claim = request.parameter("X-Amz-Signature") ? presigned_claim(request) : header_claim(request, payload_hash);
  if (!claim) return tl::unexpected<Refusal>(std::move(claim.error()));
  const auto& authorization = claim->authorization;
  if (authorization.service != service)
    return refuse(
        400, "AuthorizationHeaderMalformed",
        fmt::format("The credential's scope is for service '{}', this is '{}'", authorization.service, service));
  auto account = table.find(authorization.access_key_id);
  if (!account)
    return refuse(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  if (auto timely = check_time(*claim, unix_now); !timely) return tl::unexpected<Refusal>(std::move(timely.error()));
  if (claim->session_token != account->credentials.session_token)
    return refuse(403, "InvalidToken", "The provided token is malformed or otherwise invalid.");

  SignableRequest signable;
  signable.method = request.method;
  signable.path = request.raw_path;
  signable.query = claim->query;
  signable.payload_hash = claim->payload_hash;
  const auto& names = authorization.signed_headers;
  const auto is_signed = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!is_signed("host")) return refuse(403, "AccessDenied", "The host header must be signed.");
  for (const auto& [name, value] : request.headers) {
    if (is_signed(name)) {
      signable.headers.emplace_back(name, value);
    } else if (name.starts_with("x-amz-") && !(claim->expires && name == "x-amz-content-sha256")) {
      return refuse(403, "AccessDenied",
                    fmt::format("There were headers present in the request which were not signed: {}", name));
    }
  }
  const SigningScope scope{std::string(service), authorization.region, claim->time};
  const std::string expected = signature_v4(signable, scope, account->credentials.secret_access_key);
  if (expected.size() != authorization.signature.size() ||
      CRYPTO_memcmp(expected.data(), authorization.signature.data(), expected.size()) != 0)
    return refuse(403, "SignatureDoesNotMatch",
                  "The request signature we calculated does not match the signature you provided. Check your key and "
                  "signing method.");
  return account;
}

}  // namespace funcpipe
