#include "emulator/request_signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <set>
#include <vector>

#include "store/sigv4.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr Seconds kMostSkew = 15 * 60;
constexpr int kMostExpiry = 7 * 24 * 3600;
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Turns "20261123T170052Z" into seconds since 1970.
std::optional<Seconds> parse_amz_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return {};
  std::tm utc{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y%m%dT%H%M%SZ", &utc);
  if (!end || *end != '\0') return {};
  return static_cast<Seconds>(::timegm(&utc));
}

struct Claim {  // what the request says about its signature
  Authorization authorization;
  std::string time;
  std::string session_token;
  std::string payload_hash;    // only if presigned; otherwise the caller passes it
  std::optional<int> expires;  // seconds; only if presigned
};

// The parameters of a presigned request that are about its signature. Each may occur once.
constexpr std::array<std::string_view, 8> kSigning = {"X-Amz-Algorithm",      "X-Amz-Credential",    "X-Amz-Date",
                                                      "X-Amz-Expires",        "X-Amz-SignedHeaders", "X-Amz-Signature",
                                                      "X-Amz-Security-Token", "X-Amz-Content-Sha256"};

std::string value_or_empty(const HttpRequest& request, std::string_view name) {
  return std::string(request.parameter(name).value_or(""));
}

// Encodes a path as AWS signs it for S3: each byte in its canonical form, with dots and double slashes kept.
std::string canonical_path(std::string_view raw_path) {
  return uri_encode(percent_decode(raw_path).value_or(""), /*keep_slash=*/true);
}

// Turns "/a//b/./c/../d" into "/a/b/d", as AWS signs paths for services other than S3.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = path; !rest.empty();) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
  }
  std::string normal;
  for (const auto part : parts) normal.append("/").append(part);
  if (normal.empty() || path.ends_with('/')) normal += '/';
  return normal;
}

// Encodes each name and value of the query in its canonical form and leaves out the signature. A bare '+' stands for
// `plus`.
std::string canonical_query(std::string_view raw_query, char plus) {
  const auto recoded = [plus](std::string_view text) {
    std::string decoded(text);
    std::replace(decoded.begin(), decoded.end(), '+', plus);
    return uri_encode(percent_decode(decoded).value_or(""));
  };
  std::string canonical;
  const std::string query(raw_query);
  for (std::size_t first = 0; first < query.size();) {
    const std::size_t end = std::min(query.find('&', first), query.size());
    const std::string part = query.substr(first, end - first);
    first = end + 1;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = recoded(part.substr(0, equals));
    if (part.empty() || name == "X-Amz-Signature") continue;
    if (!canonical.empty()) canonical += '&';
    canonical += name + "=" + recoded(equals < part.size() ? part.substr(equals + 1) : std::string());
  }
  return canonical;
}

tl::expected<Claim, Refusal> presigned_claim(const HttpRequest& request) {
  Claim claim;
  const auto wrong = [](std::string message) {
    return refuse(400, "AuthorizationQueryParametersError", std::move(message));
  };
  if (request.has_header("authorization"))
    return refuse(400, "InvalidArgument",
                  "Only one auth mechanism allowed: a signed query or the Authorization header");
  for (const auto name : kSigning)
    if (std::ranges::count_if(request.query, [&](const auto& field) { return field.first == name; }) > 1)
      return wrong(fmt::format("{} is there twice", name));
  if (value_or_empty(request, "X-Amz-Algorithm") != kAlgorithm)
    return wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  auto parsed = parse_authorization(fmt::format(
      "{} Credential={},SignedHeaders={},Signature={}", kAlgorithm, value_or_empty(request, "X-Amz-Credential"),
      value_or_empty(request, "X-Amz-SignedHeaders"), value_or_empty(request, "X-Amz-Signature")));
  if (!parsed) return wrong(parsed.error().message);
  claim.authorization = std::move(*parsed);
  claim.time = value_or_empty(request, "X-Amz-Date");
  claim.session_token = value_or_empty(request, "X-Amz-Security-Token");
  claim.payload_hash = kUnsignedPayload;
  const std::string expires = value_or_empty(request, "X-Amz-Expires");
  int seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (error != std::errc() || end != expires.data() + expires.size() || seconds < 0 || seconds > kMostExpiry)
    return wrong("X-Amz-Expires must be a number from 0 to 604800");
  claim.expires = seconds;
  return claim;
}

tl::expected<Claim, Refusal> header_claim(const HttpRequest& request) {
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

struct Identified {
  Claim claim;
  SharedAccount account;
};

// The error for a credential made for another service or region. Its code depends on the service and on whether the
// signature is in the query.
tl::unexpected<Refusal> wrong_scope(const HttpRequest& request, const SignedFor& wanted, std::string message,
                                    std::string region) {
  const bool presigned = request.parameter("X-Amz-Signature").has_value();
  Refusal refusal{400, presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
                  std::move(message), std::move(region)};
  if (wanted.service != "s3") {
    refusal.status = 403;
    refusal.code = "InvalidSignatureException";
  }
  return tl::unexpected<Refusal>(std::move(refusal));
}

tl::expected<Identified, Refusal> check_claim(const HttpRequest& request, const SignedFor& wanted,
                                              const CredentialTable& table, Seconds unix_now) {
  auto claim = request.parameter("X-Amz-Signature") ? presigned_claim(request) : header_claim(request);
  if (!claim) return tl::unexpected<Refusal>(std::move(claim.error()));
  const auto& authorization = claim->authorization;
  if (authorization.service != wanted.service)
    return wrong_scope(
        request, wanted,
        fmt::format("The credential's scope is for service '{}', this is '{}'", authorization.service, wanted.service),
        {});
  if (authorization.region != wanted.region)
    return wrong_scope(request, wanted,
                       fmt::format("The credential's scope is malformed; the region '{}' is wrong; expecting '{}'",
                                   authorization.region, wanted.region),
                       std::string(wanted.region));
  auto account = table.find(authorization.access_key_id);
  if (!account)
    return refuse(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  if (auto timely = check_time(*claim, unix_now); !timely) return tl::unexpected<Refusal>(std::move(timely.error()));
  if (claim->session_token != account->credentials.session_token)
    return refuse(403, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  return Identified{std::move(*claim), std::move(account)};
}

}  // namespace

tl::expected<SharedAccount, Refusal> identify(const HttpRequest& request, const SignedFor& wanted,
                                              const CredentialTable& table, Seconds unix_now) {
  auto identified = check_claim(request, wanted, table, unix_now);
  if (!identified) return tl::unexpected<Refusal>(std::move(identified.error()));
  return std::move(identified->account);
}

tl::expected<SharedAccount, Refusal> authenticate(const HttpRequest& request, const SignedFor& wanted,
                                                  std::string_view payload_hash, const CredentialTable& table,
                                                  Seconds unix_now) {
  auto identified = check_claim(request, wanted, table, unix_now);
  if (!identified) return tl::unexpected<Refusal>(std::move(identified.error()));
  const Claim& claim = identified->claim;
  const SharedAccount& account = identified->account;
  const auto& authorization = claim.authorization;

  SignableRequest signable;
  signable.method = request.method;
  // Other services sign the path as sent, encoded once more.
  signable.path = wanted.service == "s3" ? canonical_path(request.raw_path) : without_dots(request.raw_path);
  signable.payload_hash = claim.expires ? claim.payload_hash : std::string(payload_hash);
  const std::set<std::string_view> names(authorization.signed_headers.begin(), authorization.signed_headers.end());
  if (!names.contains("host")) return refuse(403, "AccessDenied", "The host header must be signed.");
  for (const auto& [name, value] : request.headers) {
    if (names.contains(name)) {
      signable.headers.emplace_back(name, value);
    } else if (name.starts_with("x-amz-") && !(claim.expires && name == "x-amz-content-sha256")) {
      return refuse(403, "AccessDenied",
                    fmt::format("There were headers present in the request which were not signed: {}", name));
    }
  }
  const SigningScope scope{std::string(wanted.service), authorization.region, claim.time};
  const auto matches = [&](char plus) {
    signable.query = canonical_query(request.raw_query, plus);
    const std::string expected = signature_v4(signable, scope, account->credentials.secret_access_key);
    return expected.size() == authorization.signature.size() &&
           CRYPTO_memcmp(expected.data(), authorization.signature.data(), expected.size()) == 0;
  };
  // Signers differ on whether a bare '+' means a space, so both are tried. None of the usual clients sends one.
  const bool has_plus = request.raw_query.find('+') != std::string::npos;
  if (!matches(' ') && !(has_plus && matches('+')))
    return refuse(403, "SignatureDoesNotMatch",
                  "The request signature we calculated does not match the signature you provided. Check your key and "
                  "signing method.");
  return account;
}

}  // namespace funcpipe
