// Puts a job into the cloud (data, stages, job.json, functions) and takes it out again.
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

// The functions and objects of one job. remove() or, at the latest, the destructor removes them, except what
// keep_results() or keep_stop_mark() leaves.
class Deployment {
 public:
  Deployment(Store& store, FunctionService& functions, std::string prefix)
      : store_(store), functions_(functions), prefix_(std::move(prefix)) {}
  ~Deployment();
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  const std::string& prefix() const { return prefix_; }

  // Uploads the data sets (and puts their manifests into `spec`), the stage files and job.json.
  Result<> publish(JobSpec& spec, const Datasets& data, const std::vector<std::filesystem::path>& stages,
                   TrainObserver& observer, std::stop_token stop);

  // Creates one function for each distinct size, because a size belongs to a function. Its name is
  // funcpipe-<job>-<memory>, with "-<vCPUs>" if they are chosen. `settings` has what all functions share. If `replace`,
  // a left-over function of that name is replaced. `created` is called with each name after the function exists.
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
  // Deletes the functions and every object under the prefix. Returns the error of the first thing that could not be
  // removed. `stop` ends the attempt.
  Result<> remove(std::stop_token stop = {});
  // Does the same but keeps trained weights, reports and traces, from which results are made. The destructor keeps
  // them, too.
  Result<> keep_results(std::stop_token stop = {});
  // Does the same as remove() but keeps the stop mark, which workers may not have seen yet. The destructor keeps it,
  // too.
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

// Deletes every object under `prefix`, except those whose keys `stays` accepts.
Result<> remove_objects(Store& store, const std::string& prefix,
                        const std::function<bool(const std::string& key)>& stays = {});

// Returns what all functions of a job or a profile share: package, environment, timeout. They may use the keys under
// `prefix`.
Result<FunctionSpec> function_template(const Cloud& cloud, const Platform& platform, const std::string& role,
                                       const WorkerTool& worker, const std::string& prefix);

}  // namespace funcpipe
