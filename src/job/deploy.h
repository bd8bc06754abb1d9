// Puts a job into the cloud: data, stages, job.json, functions. And takes it out again.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/dataset.h"
#include "functions/function_service.h"
#include "job/cloud.h"
#include "job/observer.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

// Functions and objects of one job; whatever was made is removed by remove() or, at the latest, by the destructor, but
// for what keep_results() is to leave.
class Deployment {
 public:
  Deployment(Store& store, FunctionService& functions, std::string prefix)
      : store_(store), functions_(functions), prefix_(std::move(prefix)) {}
  ~Deployment();
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  const std::string& prefix() const { return prefix_; }

  // Uploads the data sets (their manifests go into `spec`), the stage files and job.json.
  Result<> publish(JobSpec& spec, const Datasets& data, const std::vector<std::filesystem::path>& stages,
                   TrainObserver& observer, std::stop_token stop);

  // One function per distinct size, named funcpipe-<job>-<memory>, with "-<vCPUs>" where they are chosen: its size is a
  // function's own property.
  // `settings` gives what all have in common; a left-over function of that name is replaced if `replace`. `created` is
  // told each one's name once it is there.
  Result<> create_functions(const JobSpec& spec, const FunctionSpec& settings, bool replace,
                            const std::function<Result<>(const std::string& name)>& created = {},
                            std::stop_token stop = {});
  const std::string& function_of(SizeChoice size) const { return names_.at(size); }
  std::size_t function_count() const { return names_.size(); }

  // What a former client published is this deployment's.
  void adopt() { published_ = true; }
  // Deletes the functions and leaves every object, in the destructor too.
  Result<> keep_objects(std::stop_token stop = {});
  // Leaves everything where it is, in the destructor too.
  void abandon();
  // Deletes the functions and every object under the prefix. Errors of the first thing that could not be removed;
  // `stop` gives up.
  Result<> remove(std::stop_token stop = {});
  // The same, but leaves what results are made from (trained weights, reports, traces), now and in the destructor.
  Result<> keep_results(std::stop_token stop = {});
  // The same as remove(), but for the stop mark, which workers have yet to see, now and in the destructor.
  Result<> keep_stop_mark(std::stop_token stop = {});

 private:
  Result<> remove_all_but(const std::function<bool(const std::string& key)>& stays, const std::stop_token& stop);

  Store& store_;
  FunctionService& functions_;
  const std::string prefix_;
  std::map<SizeChoice, std::string> names_;  // of the functions
  std::set<std::string> created_;
  bool published_ = false;
};

// Deletes every object under `prefix` but those that stay.
Result<> remove_objects(Store& store, const std::string& prefix,
                        const std::function<bool(const std::string& key)>& stays = {});

// What all functions of a job or a profile have in common: the package, the environment, the timeout. `prefix` is that
// of the keys they may touch.
Result<FunctionSpec> function_template(const Cloud& cloud, const Platform& platform, const std::string& role,
                                       const WorkerTool& worker, const std::string& prefix);

}  // namespace funcpipe
