#include "job/deploy.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/compute_environment.h"
#include "base/counted.h"
#include "base/files.h"
#include "functions/deployment_package.h"
#include "protocol/job_keys.h"
#include "store/stoppable_store.h"

namespace funcpipe {
namespace {

// Lambda allows 64 letters, digits, '-' and '_'.
std::string function_name(const std::string& job, SizeChoice size) {
  std::string name = fmt::format("funcpipe-{}-{}", job, to_string(size));
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == ':'; }, '-');
  FUNCPIPE_CHECK(name.size() <= 64, "{} has {} characters", name, name.size());
  return name;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

Bytes bytes_of(const Dataset& data) {
  return data.input.rows * data.input.row.bytes() + data.target.rows * data.target.row.bytes();
}

// Makes a package that runs this machine's worker program.
Result<std::string> local_package(const std::filesystem::path& worker) {
  const std::string script = fmt::format("#!/bin/sh\nexec {} \"$@\"\n", shell_quoted(worker.string()));
  return make_package({{"bootstrap", {script, true}}}, PackageCompression::store);
}

}  // namespace

Deployment::~Deployment() {
  [[maybe_unused]] const Result<> removed = remove();
}

Result<> Deployment::publish(JobSpec& spec, const Datasets& data, const std::vector<std::filesystem::path>& stages,
                             TrainObserver& observer, std::stop_token stop) {
  published_ = true;
  const std::unique_ptr<Store> view = until(store_, std::move(stop));
  Store& store = *view;
  observer.step(fmt::format("publishing data, {}", format_bytes(bytes_of(data.train) + bytes_of(data.validation))));
  FUNCPIPE_TRY(train, ::funcpipe::publish(data.train, store, training_data_prefix(prefix_)));
  spec.train = std::move(train);
  if (data.validation.input.rows > 0) {
    FUNCPIPE_TRY(validation, ::funcpipe::publish(data.validation, store, validation_data_prefix(prefix_)));
    spec.validation = std::move(validation);
  }
  Bytes size = 0;
  for (std::size_t k = 0; k < stages.size(); ++k) {
    FUNCPIPE_TRY(archive, read_file(stages[k]));
    size += static_cast<Bytes>(archive.size());
    FUNCPIPE_TRY_VOID(store.put(stage_key(prefix_, static_cast<int>(k)), archive));
  }
  observer.step(fmt::format("published {}, {}", counted(std::ssize(stages), "stage"), format_bytes(size)));
  FUNCPIPE_TRY_VOID(store.put(job_spec_key(prefix_), to_json(spec).dump()));
  return {};
}

Result<> Deployment::create_functions(const JobSpec& spec, const FunctionSpec& settings, bool replace,
                                      const std::function<Result<>(const std::string& name)>& told,
                                      std::stop_token stop) {
  for (const StagePlan& stage : spec.plan.stages) {
    if (names_.contains(stage.size())) continue;
    FunctionSpec function = settings;
    function.name = function_name(spec.config.job.name, stage.size());
    function.memory_mb = stage.memory_mb;
    function.vcpus = stage.vcpus;
    if (replace) {
      FUNCPIPE_TRY(left_over, functions_.exists(function.name, stop));
      if (left_over) FUNCPIPE_TRY_VOID(functions_.remove(function.name, stop));
    }
    if (auto created = functions_.create(function, stop); !created) {
      Error error = created.error();
      if (error.code == ErrorCode::already_exists)
        error.hint =
            "a run of this job from another folder or machine may be under way: wait for it, or use another "
            "--job.name; "
            "if none is, funcpipe clean in that run's folder takes it away";
      return tl::unexpected(std::move(error));
    }
    created_.insert(function.name);
    if (told) FUNCPIPE_TRY_VOID(told(function.name));
    names_.emplace(stage.size(), std::move(function.name));
  }
  return {};
}

void Deployment::abandon() {
  created_.clear();
  published_ = false;
}

Result<> Deployment::remove(std::stop_token stop) {
  return remove_all_but({}, stop);
}

Result<> Deployment::keep_results(std::stop_token stop) {
  return remove_all_but([this](const std::string& key) { return is_result_key(prefix_, key); }, stop);
}

Result<> Deployment::keep_objects(std::stop_token stop) {
  published_ = false;
  return remove_all_but({}, stop);
}

Result<> Deployment::keep_stop_mark(std::stop_token stop) {
  return remove_all_but([this](const std::string& key) { return key == stop_key(prefix_); }, stop);
}

Result<> Deployment::remove_all_but(const std::function<bool(const std::string& key)>& stays,
                                    const std::stop_token& stop) {
  Result<> outcome;
  for (const std::string& name : std::exchange(created_, {}))
    if (auto removed = functions_.remove(name, stop);
        !removed && removed.error().code != ErrorCode::not_found && outcome)
      outcome = removed;
  if (!std::exchange(published_, false)) return outcome;
  if (auto removed = remove_objects(*until(store_, stop), prefix_, stays); !removed && outcome) outcome = removed;
  return outcome;
}

Result<> remove_objects(Store& store, const std::string& prefix,
                        const std::function<bool(const std::string& key)>& stays) {
  FUNCPIPE_TRY(objects, store.list(prefix + "/"));
  std::vector<std::string> keys;
  for (ListedObject& object : objects)
    if (!stays || !stays(object.key)) keys.push_back(std::move(object.key));
  return store.remove(keys);
}

Result<FunctionSpec> function_template(const Cloud& cloud, const Platform& platform, const std::string& role,
                                       const WorkerTool& worker, const std::string& prefix) {
  FunctionSpec function;
  function.timeout = std::max(1.0, std::floor(platform.limits.lifetime));
  function.environment = cloud.function_environment(prefix);
  function.environment.insert(compute_environment().begin(), compute_environment().end());
  if (!role.empty()) function.role = role;
  FUNCPIPE_TRY(package, local_package(worker.program()));
  function.zip = std::move(package);
  return function;
}

}  // namespace funcpipe
