#include "job/cloud.h"

#include "base/check.h"
#include "emulator/store_scope.h"
#include "functions/lambda_service.h"

namespace funcpipe {
namespace {

Endpoint endpoint_at(const std::string& url, const std::string& region) {
  Endpoint endpoint;
  endpoint.url = url;
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  endpoint.region = region;
  return endpoint;
}

constexpr Seconds kInvocationStart = 60;

}  // namespace

Seconds invocation_limit(const Platform& platform, double dilation) {
  return (platform.limits.lifetime + kInvocationStart) * dilation;
}

Result<std::unique_ptr<Cloud>> Cloud::open(const JobConfig::PlatformChoice& choice, const Platform& platform,
                                           const std::filesystem::path& folder) {
  std::unique_ptr<Cloud> cloud(new Cloud);
  cloud->choice_ = choice;
  Endpoint s3, lambda;
  Credentials credentials;
  if (choice.s3_endpoint.empty()) {
    EmulatorOptions options;
    options.platform = platform;
    options.dilation = choice.dilation;
    options.folder = folder;
    // The folder is held by this run alone. Objects are of use only to the job that made them: what there is was left
    // by a run that was killed. Logs are kept until the next run.
    cloud->objects_ = folder / "objects";
    std::error_code ignored;
    for (const char* former : {"objects", "logs"}) std::filesystem::remove_all(folder / former, ignored);
    FUNCPIPE_TRY(emulator, Emulator::start(std::move(options)));
    cloud->emulator_ = std::move(emulator);
    s3 = cloud->emulator_->s3();
    lambda = cloud->emulator_->lambda();
    credentials = cloud->emulator_->credentials();
  } else {
    FUNCPIPE_TRY(found, credentials_from_environment());
    credentials = std::move(found);
    s3 = endpoint_at(choice.s3_endpoint, choice.region);
    lambda = endpoint_at(choice.lambda_endpoint, choice.region);
  }
  FUNCPIPE_TRY(store, S3Store::open({.endpoint = s3, .bucket = choice.bucket, .credentials = credentials}));
  FUNCPIPE_TRY(functions, LambdaService::open({.endpoint = lambda,
                                               .credentials = credentials,
                                               .invocation_limit = invocation_limit(platform, choice.dilation)}));
  cloud->store_ = std::move(store);
  cloud->functions_ = std::move(functions);
  FUNCPIPE_TRY_VOID(cloud->store_->create_bucket());
  return cloud;
}

Cloud::~Cloud() {
  if (!emulator_) return;
  emulator_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(objects_, ignored);
}

void Cloud::end_functions() {
  if (emulator_) emulator_->end_instances();
}

std::string Cloud::description() const {
  if (!emulator_) return fmt::format("cloud at {} and {}", choice_.s3_endpoint, choice_.lambda_endpoint);
  const std::string isolation = emulator_->isolation();  // "cgroup v1 (memory, cpu) in /sys/...": its name is enough
  return fmt::format("embedded cloud at {}, limits by {}", emulator_->s3().url,
                     isolation.substr(0, isolation.find(" (")));
}

std::map<std::string, std::string> Cloud::function_environment(const std::string& prefix) const {
  std::map<std::string, std::string> variables = {{kStoreScopeVariable, choice_.bucket + "/" + prefix + "/"}};
  if (!emulator_) variables["AWS_ENDPOINT_URL_S3"] = choice_.s3_endpoint;
  return variables;
}

std::map<std::string, std::string> Cloud::client_environment() const {
  FUNCPIPE_CHECK(emulator_, "no embedded cloud at {}", choice_.s3_endpoint);
  const Credentials credentials = emulator_->credentials();
  const Endpoint s3 = emulator_->s3();
  return {{"AWS_ENDPOINT_URL_S3", s3.url},
          {"AWS_REGION", s3.region},
          {"AWS_ACCESS_KEY_ID", credentials.access_key_id},
          {"AWS_SECRET_ACCESS_KEY", credentials.secret_access_key},
          {"AWS_SESSION_TOKEN", credentials.session_token}};
}

Bill Cloud::bill() const {
  if (emulator_) return emulator_->bill();
  const RequestCounts counts = store_->counts();
  Usage client;
  client.put = counts.put;
  client.get = counts.get;
  client.list = counts.list;
  client.remove = counts.remove;
  client.uploaded = counts.uploaded;
  client.downloaded = counts.downloaded;
  return {.by_function = {{"client", client}}};
}

}  // namespace funcpipe
