#include "emulator/s3/checksums.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "store/digest.h"

namespace funcpipe {
namespace {

constexpr std::string_view kPrefix = "x-amz-checksum-";

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

bool valid_value(const ChecksumAlgorithm& algorithm, std::string_view value) {
  const auto raw = from_base64(value);
  return raw && raw->size() == algorithm.bytes && base64(*raw) == value;
}

tl::unexpected<Refusal> invalid(std::string message) {
  return refuse(400, "InvalidRequest", std::move(message));
}

// Reads the checksum header, of which there may be only one.
tl::expected<ChecksumClaim, Refusal> claim_of_headers(const HttpRequest& request) {
  ChecksumClaim claim;
  for (const auto& [name, value] : request.headers) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string word = name.substr(kPrefix.size());
    if (word == "algorithm" || word == "type" || word == "mode") continue;
    const auto* algorithm = find_checksum(word);
    if (!algorithm) return refuse(501, "NotImplemented", fmt::format("The checksum {} is not served here.", name));
    if (claim.algorithm)
      return invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    claim.algorithm = algorithm;
    claim.value = value;
  }
  return claim;
}

}  // namespace

const std::vector<ChecksumAlgorithm>& checksum_algorithms() {
  static const std::vector<ChecksumAlgorithm> all = {
      {"crc32", "CRC32", "ChecksumCRC32", 4, true, true},
      {"crc32c", "CRC32C", "ChecksumCRC32C", 4, true, true},
      {"crc64nvme", "CRC64NVME", "ChecksumCRC64NVME", 8, false, true},
      {"sha1", "SHA1", "ChecksumSHA1", 20, true, false},
      {"sha256", "SHA256", "ChecksumSHA256", 32, true, false},
  };
  return all;
}

const ChecksumAlgorithm* find_checksum(std::string_view name) {
  const std::string wanted = lower(name);
  for (const auto& algorithm : checksum_algorithms())
    if (algorithm.name == wanted) return &algorithm;
  return nullptr;
}

tl::expected<ChecksumClaim, Refusal> read_checksum_claim(const HttpRequest& request, bool chunked) {
  auto claim = claim_of_headers(request);
  if (!claim) return claim;
  if (claim->algorithm && !valid_value(*claim->algorithm, claim->value))
    return invalid(fmt::format("Value for {}{} header is invalid.", kPrefix, claim->algorithm->name));
  if (const std::string trailer = lower(request.header("x-amz-trailer")); !trailer.empty()) {
    const auto* announced = trailer.starts_with(kPrefix) ? find_checksum(trailer.substr(kPrefix.size())) : nullptr;
    if (!announced || !chunked) return invalid("The value specified in the x-amz-trailer header is not supported");
    if (claim->algorithm)
      return invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    *claim = {announced, "", true};
  }
  if (const auto named = request.header("x-amz-sdk-checksum-algorithm"); !named.empty()) {
    const auto* algorithm = find_checksum(named);
    if (!algorithm) return invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (!claim->algorithm)
      return invalid(
          "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
          "found.");
    if (algorithm != claim->algorithm) return invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return claim;
}

tl::expected<std::string, Refusal> claimed_value(const ChecksumClaim& claim, const NamedValues& trailers) {
  const auto malformed = [] {
    return refuse(400, "MalformedTrailerError",
                  "The request contained trailing data that was not well-formed or did not conform to our published "
                  "schema.");
  };
  if (!claim.trailing) {
    if (!trailers.empty()) return malformed();
    return claim.value;
  }
  if (trailers.size() != 1 || trailers[0].first != std::string(kPrefix) + std::string(claim.algorithm->name))
    return malformed();
  if (!valid_value(*claim.algorithm, trailers[0].second))
    return invalid(fmt::format("Value for {} trailing header is invalid.", trailers[0].first));
  return trailers[0].second;
}

tl::expected<UploadChecksum, Refusal> read_upload_checksum(const HttpRequest& request) {
  UploadChecksum checksum;
  const auto type = request.header("x-amz-checksum-type"), named = request.header("x-amz-checksum-algorithm");
  if (named.empty()) {
    if (!type.empty())
      return invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
    return checksum;
  }
  checksum.algorithm = find_checksum(named);
  if (!checksum.algorithm)
    return invalid(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, "
        "CRC32C, CRC64NVME, SHA1, SHA256]");
  if (type.empty()) checksum.type = checksum.algorithm->composite ? kComposite : kFullObject;
  if (type == kComposite && checksum.algorithm->composite) checksum.type = kComposite;
  if (type == kFullObject && checksum.algorithm->full_object) checksum.type = kFullObject;
  if (checksum.type.empty())
    return invalid(fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.", type,
                               checksum.algorithm->name));
  return checksum;
}

void append_checksum(NamedValues& headers, const StoredChecksum& checksum) {
  headers.emplace_back(std::string(kPrefix) + checksum.algorithm, checksum.value);
  headers.emplace_back("x-amz-checksum-type", checksum.type);
}

}  // namespace funcpipe
