#include "store/sigv4.h"

#include <algorithm>
#include <ctime>

#include "store/digest.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

// Removes spaces at both ends and replaces each run of spaces inside by one.
std::string trim(std::string_view text) {
  std::string trimmed;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t';
    if (space && (trimmed.empty() || trimmed.back() == ' ')) continue;
    trimmed += space ? ' ' : c;
  }
  if (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
  return trimmed;
}

// Sorts the names, in lower case. The values of a name that occurs twice are joined by commas.
Headers canonical_headers(const Headers& headers) {
  Headers canonical;
  for (const auto& [name, value] : headers) canonical.emplace_back(lower(name), trim(value));
  std::stable_sort(canonical.begin(), canonical.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Headers joined;
  for (auto& [name, value] : canonical) {
    if (!joined.empty() && joined.back().first == name) {
      joined.back().second += "," + value;
    } else {
      joined.emplace_back(std::move(name), std::move(value));
    }
  }
  return joined;
}

std::string joined_names(const Headers& canonical) {
  std::string names;
  for (const auto& header : canonical) names += (names.empty() ? "" : ";") + header.first;
  return names;
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    parameters.emplace_back(part.substr(0, equals),
                            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical += '&';
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

std::string credential_scope(const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", scope.time.substr(0, 8), scope.region, scope.service);
}

}  // namespace

std::string amz_time(Seconds unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[sizeof "20261123T170052Z"];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

std::string signature_v4(const SignableRequest& request, const SigningScope& scope,
                         std::string_view secret_access_key) {
  const Headers headers = canonical_headers(request.headers);
  const std::string path = request.path.empty() ? "/" : request.path;
  std::string canonical = request.method + "\n";
  canonical += (scope.service == "s3" ? path : uri_encode(path, /*keep_slash=*/true)) + "\n";
  canonical += canonical_query(request.query) + "\n";
  for (const auto& [name, value] : headers) canonical.append(name).append(":").append(value).append("\n");
  canonical += "\n" + joined_names(headers) + "\n" + request.payload_hash;

  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + scope.time + "\n" + credential_scope(scope) + "\n" + hex(sha256(canonical));
  std::string key = hmac_sha256("AWS4" + std::string(secret_access_key), scope.time.substr(0, 8));
  for (const std::string_view word :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = hmac_sha256(key, word);
  }
  return hex(hmac_sha256(key, to_sign));
}

std::string authorization_v4(const SignableRequest& request, const SigningScope& scope,
                             const Credentials& credentials) {
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key_id,
                     credential_scope(scope), joined_names(canonical_headers(request.headers)),
                     signature_v4(request, scope, credentials.secret_access_key));
}

Result<Authorization> parse_authorization(std::string_view header) {
  constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256 ";
  if (!header.starts_with(kAlgorithm)) return fail(ErrorCode::corrupt, "not an AWS4-HMAC-SHA256 authorization");
  header.remove_prefix(kAlgorithm.size());
  Authorization parsed;
  for (const std::string_view field : split(header, ',')) {
    const std::string text = trim(field);
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return fail(ErrorCode::corrupt, "an authorization field without '='");
    const std::string value = text.substr(equals + 1);
    if (text.starts_with("Credential=")) {
      // The access key may itself contain slashes. The scope behind it has four words.
      const std::vector<std::string_view> words = split(value, '/');
      if (words.size() < 5 || words.back() != "aws4_request") {
        return fail(ErrorCode::corrupt, "an authorization credential that is not key/date/region/service/aws4_request");
      }
      const std::size_t count = words.size();
      parsed.date = words[count - 4];
      parsed.region = words[count - 3];
      parsed.service = words[count - 2];
      parsed.access_key_id = value.substr(0, static_cast<std::size_t>(words[count - 4].data() - value.data()) - 1);
    } else if (text.starts_with("SignedHeaders=")) {
      for (const std::string_view name : split(value, ';')) parsed.signed_headers.emplace_back(lower(name));
    } else if (text.starts_with("Signature=")) {
      parsed.signature = value;
    }
  }
  if (parsed.access_key_id.empty() || parsed.signed_headers.empty() || parsed.signature.empty()) {
    return fail(ErrorCode::corrupt, "an authorization without Credential, SignedHeaders or Signature");
  }
  return parsed;
}

}  // namespace funcpipe
