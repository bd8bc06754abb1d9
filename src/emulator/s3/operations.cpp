#include "emulator/s3/operations.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <vector>

#include "emulator/bucket_name.h"
#include "emulator/s3/checksums.h"

namespace funcpipe {
namespace {

using Operation = S3Operation;
enum class Level { service, bucket, object };
using Names = std::vector<std::string_view>;

struct Row {
  std::string_view method;
  Level level;
  Names needs, may;  // parameters of the query
  Operation operation;
};

const std::vector<Row>& rows() {
  static const Names overrides = {"response-cache-control",    "response-content-disposition",
                                  "response-content-encoding", "response-content-language",
                                  "response-content-type",     "response-expires"};
  static const Names of_object = [] {
    Names names = overrides;
    names.push_back("partNumber");
    return names;
  }();
  static const std::vector<Row> table = {
      {"GET", Level::service, {}, {}, Operation::list_buckets},
      {"PUT", Level::bucket, {}, {}, Operation::create_bucket},
      {"HEAD", Level::bucket, {}, {}, Operation::head_bucket},
      {"DELETE", Level::bucket, {}, {}, Operation::delete_bucket},
      {"GET", Level::bucket, {"location"}, {}, Operation::bucket_location},
      {"GET",
       Level::bucket,
       {"list-type"},
       {"prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type", "fetch-owner"},
       Operation::list},
      {"GET", Level::bucket, {}, {"prefix", "delimiter", "max-keys", "marker", "encoding-type"}, Operation::list},
      {"POST", Level::bucket, {"delete"}, {}, Operation::delete_objects},
      {"PUT", Level::object, {"uploadId", "partNumber"}, {}, Operation::upload_part},
      {"PUT", Level::object, {}, {}, Operation::put_object},
      {"GET", Level::object, {"uploadId"}, {"max-parts", "part-number-marker"}, Operation::list_parts},
      {"GET", Level::object, {}, of_object, Operation::get_object},
      {"HEAD", Level::object, {}, of_object, Operation::get_object},
      {"DELETE", Level::object, {"uploadId"}, {}, Operation::abort_upload},
      {"DELETE", Level::object, {}, {}, Operation::delete_object},
      {"POST", Level::object, {"uploads"}, {}, Operation::create_upload},
      {"POST", Level::object, {"uploadId"}, {}, Operation::complete_upload},
  };
  return table;
}

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// True for parameters of the signature and for those that a client adds for its own use.
bool says_nothing(std::string_view parameter) {
  return parameter == "x-id" || parameter.starts_with("X-Amz-");
}

enum Where : unsigned {
  kEverywhere = 1,
  kBody = 2,      // requests whose body is checked
  kCreation = 4,  // creation of objects and uploads
  kUpload = 8,    // CreateMultipartUpload, CompleteMultipartUpload
  kComplete = 16,
  kRead = 32,
  kBucket = 64,  // CreateBucket
};

unsigned where(Operation operation) {
  switch (operation) {
    case Operation::put_object:
      return kEverywhere | kBody | kCreation;
    case Operation::upload_part:
    case Operation::delete_objects:
      return kEverywhere | kBody;
    case Operation::create_upload:
      return kEverywhere | kCreation | kUpload;
    case Operation::complete_upload:
      return kEverywhere | kBody | kUpload | kComplete;
    case Operation::get_object:
      return kEverywhere | kRead;
    case Operation::create_bucket:
      return kEverywhere | kBody | kBucket;
    default:
      return kEverywhere;
  }
}

struct HeaderRow {
  std::string_view name;
  unsigned where;
  Names values;  // the values that are kept or change nothing; empty: any
};

const std::vector<HeaderRow>& header_rows() {
  static const std::vector<HeaderRow> table = {
      {"x-amz-date", kEverywhere, {}},
      {"x-amz-content-sha256", kEverywhere, {}},
      {"x-amz-security-token", kEverywhere, {}},
      {"x-amz-user-agent", kEverywhere, {}},
      {"x-amz-expected-bucket-owner", kEverywhere, {}},  // compared in s3_operation()
      {"x-amz-request-payer", kEverywhere, {"requester"}},
      {"x-amz-decoded-content-length", kBody, {}},
      {"x-amz-trailer", kBody, {}},
      {"x-amz-sdk-checksum-algorithm", kBody, {}},
      {"x-amz-checksum-algorithm", kUpload, {}},
      {"x-amz-checksum-type", kUpload, {}},
      {"x-amz-checksum-mode", kRead, {"ENABLED"}},
      {"x-amz-mp-object-size", kComplete, {}},
      {"x-amz-storage-class", kCreation, {"STANDARD"}},
      {"x-amz-acl", kCreation, {"private", "bucket-owner-full-control"}},
      {"x-amz-acl", kBucket, {"private"}},
      {"x-amz-object-ownership", kBucket, {"BucketOwnerEnforced"}},
      {"x-amz-bucket-object-lock-enabled", kBucket, {"false", "False"}},
  };
  return table;
}

std::optional<Refusal> judge_header(const std::string& name, const std::string& value, Operation operation) {
  constexpr std::string_view kChecksum = "x-amz-checksum-";
  const unsigned here = where(operation);
  if (name.starts_with("x-amz-meta-") && (here & kCreation)) return {};
  if (name.starts_with(kChecksum) && (here & kBody) && find_checksum(name.substr(kChecksum.size()))) return {};
  for (const HeaderRow& row : header_rows())
    if (row.name == name && (row.where & here) && (row.values.empty() || contains(row.values, value))) return {};
  return Refusal{501, "NotImplemented",
                 fmt::format("A header you provided implies functionality that is not implemented: {}: {}", name,
                             value.substr(0, 100))};
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

// Returns how many characters at the end of `host` name the service ("localhost", "127.0.0.1",
// "s3.us-east-1.amazonaws.com"); 0: none do.
std::size_t service_part(std::string_view host) {
  if (host.ends_with("amazonaws.com")) {
    for (std::size_t at = 0; at < host.size(); at = std::min(host.find('.', at), host.size() - 1) + 1)
      if (host.substr(at).starts_with("s3.") || host.substr(at).starts_with("s3-")) return host.size() - at;
    return 0;
  }
  for (const std::string_view name : {"s3.localhost", "localhost"})
    if (host == name || host.ends_with("." + std::string(name))) return name.size();
  if (is_ipv4(host)) return host.size();
  std::size_t dots = 0, at = host.size();  // looks for four numbers at the end
  while (at > 0 && dots < 4)
    if (host[--at] == '.') ++dots;
  if (dots == 4 && is_ipv4(host.substr(at + 1))) return host.size() - at - 1;
  return host.find('.') == std::string_view::npos || host.starts_with('[') ? host.size() : 0;
}

// Returns the bucket that a Host header names; empty if the path names it.
tl::expected<std::string, Refusal> bucket_of_host(std::string_view authority) {
  std::string host(authority.substr(0, authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':')));
  for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t service = service_part(host);
  if (service == 0)
    return refuse(400, "InvalidRequest",
                  fmt::format("The host {} is not this service: use 127.0.0.1, localhost or BUCKET.localhost", host));
  if (service == host.size()) return std::string();
  return host.substr(0, host.size() - service - 1);
}

}  // namespace

tl::expected<S3Target, Refusal> s3_target(const HttpRequest& request) {
  S3Target target;
  if (request.has_header("host")) {
    auto named = bucket_of_host(request.header("host"));
    if (!named) return tl::unexpected<Refusal>(std::move(named.error()));
    target.bucket = std::move(*named);
  }
  std::string_view rest = std::string_view(request.path).substr(1);
  if (target.bucket.empty()) {
    const auto slash = std::min(rest.find('/'), rest.size());
    target.bucket = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (target.bucket.empty() && !rest.empty())
      return refuse(400, "InvalidBucketName", "The specified bucket is not valid.");
  }
  target.key = rest;
  if (!target.bucket.empty() && !valid_bucket_name(target.bucket))
    return refuse(400, "InvalidBucketName", "The specified bucket is not valid.");
  if (target.key.size() > kLongestKey) return refuse(400, "KeyTooLongError", "Your key is too long");
  return target;
}

tl::expected<S3Operation, Refusal> s3_operation(const HttpRequest& request, const S3Target& target) {
  const Level level = target.bucket.empty() ? Level::service : target.key.empty() ? Level::bucket : Level::object;
  Names given;
  for (const auto& [name, value] : request.query) {
    if (says_nothing(name)) continue;
    if (contains(given, name))
      return refuse(400, "InvalidArgument", fmt::format("The parameter {} is there twice.", name));
    given.push_back(name);
  }
  const Row* chosen = nullptr;
  bool method_known = false;
  for (const Row& row : rows()) {
    if (row.method != request.method || row.level != level) continue;
    method_known = true;
    const bool asked =
        std::all_of(row.needs.begin(), row.needs.end(), [&](auto name) { return contains(given, name); });
    if (asked && !chosen) chosen = &row;
  }
  for (const auto name : given)
    if (!chosen || (!contains(chosen->needs, name) && !contains(chosen->may, name)))
      return refuse(501, "NotImplemented",
                    fmt::format("A {} with the parameter {} is not served here.", request.method, name));
  if (!chosen)
    return refuse(method_known ? 400 : 405, method_known ? "InvalidRequest" : "MethodNotAllowed",
                  "The specified method is not allowed against this resource.");
  if (request.has_header("x-amz-copy-source"))
    return refuse(501, "NotImplemented", "Copying is not served here: download and upload.");
  for (const auto& [name, value] : request.headers) {
    if (!name.starts_with("x-amz-")) continue;
    if (auto refusal = judge_header(name, value, chosen->operation))
      return tl::unexpected<Refusal>(std::move(*refusal));
  }
  if (const auto owner = request.header("x-amz-expected-bucket-owner"); !owner.empty() && owner != kS3Account)
    return refuse(403, "AccessDenied", "Access Denied");
  return chosen->operation;
}

void take_presigned_headers(HttpRequest& request) {
  if (!request.parameter("X-Amz-Signature")) return;
  static const Names kSigning = {"x-amz-algorithm",      "x-amz-credential",    "x-amz-date",
                                 "x-amz-expires",        "x-amz-signedheaders", "x-amz-signature",
                                 "x-amz-security-token", "x-amz-content-sha256"};
  std::erase_if(request.query, [&](const auto& parameter) {
    std::string name = parameter.first;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!name.starts_with("x-amz-") || contains(kSigning, name)) return false;
    if (!request.has_header(name)) request.headers.emplace_back(name, parameter.second);
    return true;
  });
}

Refusal access_denied() {
  return {403, "AccessDenied", "Access Denied: a function's credentials are for the objects of its own job."};
}

std::optional<Refusal> judge_scope(const StoreScope& scope, S3Operation operation, const S3Target& target,
                                   const HttpRequest& request) {
  switch (operation) {
    case Operation::list_buckets:
    case Operation::create_bucket:
    case Operation::head_bucket:
    case Operation::delete_bucket:
    case Operation::bucket_location:
      return access_denied();
    case Operation::list:
      if (!scope.holds(target.bucket, request.parameter("prefix").value_or(""))) return access_denied();
      return {};
    case Operation::delete_objects:
      if (target.bucket != scope.bucket) return access_denied();
      return {};
    default:
      if (!scope.holds(target.bucket, target.key)) return access_denied();
      return {};
  }
}

}  // namespace funcpipe
