#include "job/cloud.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "emulator/lambda/instance_log.h"
#include "emulator/store_scope.h"
#include "functions/lambda_service.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

Endpoint endpoint_at(const std::string& url, const std::string& region) {
  Endpoint endpoint;
  endpoint.url = url;
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  endpoint.region = region;
  return endpoint;
}

constexpr Seconds kInvocationStart = 60;

// Removes the logs of our functions, which are kept until the next run. Other files, and what a link leads to, stay.
void remove_logs(const fs::path& folder) {
  std::error_code status;
  if (!fs::is_directory(fs::symlink_status(folder, status))) return;
  std::vector<fs::path> former;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, status))
    if (entry.path().filename().string().starts_with("funcpipe-")) former.push_back(entry.path());
  for (const fs::path& logs : former) remove_instance_logs(logs);
}

// Removes the folder of an emulator that has ended, if it holds only our own empty bucket and no other emulator uses
// it.
void remove_if_empty(const fs::path& objects, const std::string& bucket) {
  const int lock = ::open((objects / ".lock").c_str(), O_RDWR | O_CLOEXEC);
  if (lock < 0) return;
  std::error_code ignored;
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) {
    fs::remove(objects / bucket, ignored);  // removes folders only if they are empty
    fs::remove(objects / ".new", ignored);
    bool others = false;
    for (const fs::directory_entry& entry : fs::directory_iterator(objects, ignored))
      others = others || entry.path().filename() != ".lock";
    if (!others) fs::remove_all(objects, ignored);
  }
  ::close(lock);
}

}  // namespace

Seconds invocation_limit(const Platform& platform, double dilation) {
  return (platform.limits.lifetime + kInvocationStart) * dilation;
}

Result<std::unique_ptr<Cloud>> Cloud::open(const JobConfig::PlatformChoice& choice, const Platform& platform,
                                           const fs::path& folder, std::stop_token stop) {
  std::unique_ptr<Cloud> cloud(new Cloud);
  cloud->choice_ = choice;
  Endpoint s3, lambda;
  Credentials credentials;
  if (choice.s3_endpoint.empty()) {
    EmulatorOptions options;
    options.platform = platform;
    options.dilation = choice.dilation;
    options.folder = folder;
    FUNCPIPE_TRY(emulator, Emulator::start(std::move(options)));  // from now on no other emulator can use this folder
    cloud->emulator_ = std::move(emulator);
    cloud->objects_ = folder / "objects";
    remove_logs(folder / "logs");
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
  FUNCPIPE_TRY_VOID(cloud->store_->view(std::move(stop))->create_bucket());
  return cloud;
}

Cloud::~Cloud() {
  if (!emulator_) return;
  emulator_.reset();
  if (!objects_.empty()) remove_if_empty(objects_, choice_.bucket);
}

void Cloud::end_functions() {
  if (emulator_) emulator_->end_instances();
}

std::string Cloud::description() const {
  if (!emulator_) return fmt::format("cloud at {} and {}", choice_.s3_endpoint, choice_.lambda_endpoint);
  // "cgroup v1 (memory, cpu) in /sys/..." is shortened to its name
  const std::string isolation = emulator_->isolation();
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
