#include "worker/open_store.h"

#include <cstdlib>
#include <utility>

#include "store/uri.h"

namespace funcpipe {
namespace {

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

// How long a function waits for a silent store on its own machine. Such a store accepts connections and says nothing
// because its process is stopped, with Ctrl-Z for example. One that has ended refuses connections.
constexpr Seconds kStoppedService = 900;

}  // namespace

S3Options store_options(const std::string& bucket, Credentials credentials, double dilation) {
  S3Options options;
  options.bucket = bucket;
  options.credentials = std::move(credentials);
  options.endpoint.region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", "us-east-1"));
  options.endpoint.url = variable("AWS_ENDPOINT_URL_S3", variable("AWS_ENDPOINT_URL", ""));
  while (options.endpoint.url.ends_with('/')) options.endpoint.url.pop_back();
  options.endpoint.path_style = !options.endpoint.url.empty();
  if (options.endpoint.url.empty()) options.endpoint.url = "https://s3." + options.endpoint.region + ".amazonaws.com";
  options.limits.connect *= dilation;
  options.limits.stall *= dilation;
  options.limits.overall *= dilation;
  options.retry.total *= dilation;  // otherwise a request that stalled once would never be repeated
  const auto url = parse_url(options.endpoint.url);
  if (url && url->loopback()) options.total_silent = kStoppedService;
  return options;
}

Result<std::unique_ptr<S3Store>> open_store(const std::string& bucket, double dilation) {
  FUNCPIPE_TRY(credentials, credentials_from_environment());
  return S3Store::open(store_options(bucket, std::move(credentials), dilation));
}

}  // namespace funcpipe
